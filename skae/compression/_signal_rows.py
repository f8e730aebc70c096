"""What the training rows of every compressor have in common."""

from ..coding import Codec
from ..training import Rows


class SignalRows(Rows):
    """Rows that a codec is fitted to.

    Attributes
    ----------
    codec : Codec or None
        What they were coded by, if they were: contexts and tables are final then.
    """

    codec: Codec | None = None

    @property
    def source(self) -> "SignalRows":
        """The signals themselves."""
        return self
