"""What is raised about model files."""


class ModelFileError(ValueError):
    """A file is no model or damaged, or an estimator can't be written to one.

    The message says which file or which part of the estimator, what is wrong with it, and what to
    do.
    """
