import pytest
import torch

from skae.training._device import resolve_device


@pytest.mark.parametrize("device", ["cpu", torch.device("cpu")])
def test_cpu(device):
    assert resolve_device(device) == torch.device("cpu")


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"),
    [(True, True, "cuda"), (True, False, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_auto_takes_the_fastest(cuda, mps, expected, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)

    assert resolve_device("auto").type == expected


@pytest.mark.parametrize("device", ["cuda:99", "gpu", "cpu:x", torch.device("cuda", 99)])
def test_device_that_is_not_there(device):
    with pytest.raises(ValueError, match=r"can't be used on this machine.*'auto'"):
        resolve_device(device)
