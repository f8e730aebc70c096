"""The one error that whatever is wrong with a stream ends in."""


class BitstreamError(ValueError):
    """A stream can't be decoded: it is damaged, truncated, or of another model or version."""

    __module__ = "skae.compression"  # what tracebacks show, and users import it from
