"""Which device to compute on."""

import torch

from ._suggestions import did_you_mean


def resolve_device(device: str | torch.device, dtype: torch.dtype = torch.float32) -> torch.device:
    """Return the device to compute on.

    Parameters
    ----------
    device : str or torch.device
        "auto" takes CUDA where there is one, else Apple's MPS, else the CPU.
    dtype : torch.dtype, default=torch.float32
        What it must be able to compute in; MPS has no float64.

    Returns
    -------
    torch.device
        A device of this machine.

    Raises
    ------
    ValueError
        If there is no such device.
    """
    if str(device) == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        usable = torch.backends.mps.is_available() and dtype != torch.float64
        return torch.device("mps" if usable else "cpu")
    try:
        resolved = torch.device(device)
        torch.empty(0, device=resolved, dtype=dtype)
    except Exception as error:  # torch raises four kinds for one mistake
        raise ValueError(
            f"device={str(device)!r} can't be used on this machine ({str(error).splitlines()[0]}); "
            "use 'auto' for the best device at hand, or 'cpu'"
            f"{did_you_mean(str(device), ['cuda', 'mps', 'cpu', 'auto'])}"
        ) from error
    return resolved
