"""Color profiles: what a picture looks like in sRGB."""

import io
from typing import Any

from ._pillow import pillow

# The modes that the color spaces of profiles are for.
_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}


def in_srgb(image: Any, profile: bytes | None, keep: bool = False) -> tuple[Any, bool, str | None]:
    """Turn the colors of an opaque picture into those of sRGB.

    Parameters
    ----------
    image : Image
        A picture of any mode without alpha.
    profile : bytes or None
        Its color profile.
    keep : bool, default=False
        Whether to leave the colors as they are, if the result can have the same profile.

    Returns
    -------
    image : Image
        In mode "L" if it was gray, else "RGB".
    is_kept : bool
        Whether its colors are still those of the profile.
    note : str or None
        Why the profile was not used.
    """
    is_gray = image.mode in ("1", "L")
    mode = "L" if is_gray else "RGB"
    cms: Any = pillow("ImageCms")
    try:
        source, has = _source(cms, image, profile, is_gray)
        if source is None:
            return image.convert(mode), False, None
        srgb = cms.createProfile("sRGB")
        transform = cms.buildTransform(source, srgb, has, "RGB")
        if keep and profile and has == mode:
            return image.convert(mode), True, None
        return cms.applyTransform(image.convert(has), transform).convert(mode), False, None
    except (cms.PyCMSError, OSError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        note = f"its color profile can't be used and is left out ({reason})"
        return image.convert(mode), False, note


def _source(cms: Any, image: Any, profile: bytes | None, is_gray: bool) -> tuple[Any, str]:
    """Return the profile to convert from, None if there is none, and the mode that it is for."""
    own = image.mode if image.mode in ("CMYK", "LAB") else "RGB"
    if not profile:
        return (cms.createProfile("LAB") if own == "LAB" else None), own
    source = cms.ImageCmsProfile(io.BytesIO(profile))
    space = source.profile.xcolor_space.strip()
    has = _MODES.get(space)
    # Gray pictures may have a profile of colors, of which they use the gray ones.
    if has != own and not (is_gray and has == "L"):
        raise ValueError(f"it is for {space}, the picture is {image.mode}")
    return source, has
