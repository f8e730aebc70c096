"""A page about a model."""


def model_card(estimator):
    return ""
