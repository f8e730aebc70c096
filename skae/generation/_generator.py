"""What the generators of rows share: columns, priors of codes, samples and walks between codes."""

import copy
from dataclasses import replace
from numbers import Integral
from typing import Any

import numpy as np
import torch
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from .._base import BaseAutoencoder, HasSchema, TakesWeights, checked_table
from .._plain import Part
from .._settings import inference
from ..losses import LIKELIHOODS, Likelihood
from ..tables import ColumnRows, Columns, FrameFormat
from ..training import AutoencoderNet, Recipe, Rows
from ..training._nested import select
from ..training._random import seeded_global_generators
from ..training._rows import inference_rows
from ..training._trainer import check_magnitude
from ._balance import balanced, conditions_with
from ._checks import check_count, checked_labels
from ._codes import CodesOfRows
from ._conditions import Table, conditions_of
from ._constraints import Constraints
from ._flow import fit_flow
from ._local import fit_local
from ._priors import MOST_ROWS, ClassPriors, NormalPrior, fit_mixture
from ._row_model import RowModel
from ._sampling import RowSampler
from ._shares import Shares
from ._walks import WalksMixin

_MOST_COMPONENTS, _ROWS_PER_COMPONENT = 64, 50
_ACTIVE = 0.01
_PIXEL_STEPS, _TABLE_STEPS = 2000, 5000
_MANY_ROWS, _MANY_IMAGES = 5000, 500
_DRAWS = 20_000  # by which the shares of categories are known
_MOST_CODES = 60_000  # of a class, that a prior is fitted to


class BaseGenerator(HasSchema, TakesWeights, WalksMixin, BaseAutoencoder):
    """Base of the estimators that draw new rows from a distribution of codes."""

    _parameter_constraints: dict = {
        **BaseAutoencoder._parameter_constraints,
        "n_components": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "likelihood": [StrOptions({"auto"} | set(LIKELIHOODS)), callable, nn.Module],
        "scale": [StrOptions({"auto", "normal_scores", "range"}), None],
        "prior": [StrOptions({"auto", "mixture", "local", "flow", "normal"})],
        "n_mixture_components": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "conditional": ["boolean"],
        "column_kinds": [dict, None],
        "constraints": [list, tuple, None],
    }

    _changeable = BaseAutoencoder._changeable | {"conditional", "n_mixture_components", "prior"}

    # ------------------------------------------------------------------ data

    def _checked(self, X: Any, *, reset: bool = False) -> Any:
        kinds = self.column_kinds
        form = FrameFormat.of(X, kinds=kinds) if reset else getattr(self, "_format", None)
        X = checked_table(self, X, form, reset=reset)
        if reset:
            self._format, self._constraints = form, None
            if self.constraints:
                learn = isinstance(self.likelihood, str) and self.likelihood == "auto"
                self._constraints = Constraints.of(self.constraints, form, X, learn)
        return X if self._constraints is None else self._constraints.applied(X)

    def _adapt(self, X: Any) -> None:
        for j in self._format.categories:
            if (is_new := np.isnan(X[:, j])).any():
                raise ValueError(
                    f"column {self._format.names[j]!r} has values in row {is_new.argmax()} and "
                    f"others that were not in the training data before: {type(self).__name__} has "
                    "no place for new categories; fit it anew, to all rows"
                )
        if self._constraints is not None:
            self._constraints.check(self._constraints.undone(np.array(X[: len(X)])))

    def _decoded_columns(self, encoded: np.ndarray) -> np.ndarray:
        """Return the expected rows that the network's view of them stands for."""
        matrix = self._columns.decode(encoded)
        return matrix if self._constraints is None else self._constraints.undone(matrix)

    def _checked_target(self, X: Any, y: Any) -> Any:
        if not self.conditional:
            return y
        if self.prior == "normal":
            raise ValueError(
                "conditional=True gives each class a prior of its own, but with prior='normal' all "
                "have the same; take prior='auto', or conditional=False"
            )
        return checked_labels(X, y)

    def _auto_sizes(self, n_features: int, n_rows: int) -> tuple[int, ...]:
        """Return the widths of hidden layers that served a few data sets of each kind best."""
        if self._columns.are_pixels:
            return (min(max(2 * n_features, 256), 1024),)
        return (256,) if n_rows < _MANY_ROWS else (512, 512)

    def _generator_recipe(
        self,
        X: np.ndarray,
        network: str,
        params: dict[str, Any],
        **network_params: Any,
    ) -> Recipe:
        """Learn what columns there are, and return what the net is built from."""
        is_mixed = self.likelihood == "auto"
        categories = {j: len(values) for j, values in self._format.categories.items()}
        if categories and not is_mixed:
            raise ValueError(
                f"likelihood={self.likelihood!r} needs numbers, but column "
                f"{self._format.names[min(categories)]!r} holds categories; leave likelihood='auto'"
            )
        check_magnitude(X, getattr(torch, self.dtype))
        scale = self.scale if is_mixed else None
        nested = dict(self._nested_params)
        is_gaussian = is_mixed or self.likelihood == "gaussian"
        # Networks of users, and bounds, are made for numbers as they are.
        if scale is None and is_gaussian and isinstance(self.module, str):
            scale = None if "criterion__bounds" in nested else "unit"
        names, weights = self._format.names, self._weights
        self._columns = Columns.of(X, categories, scale, is_mixed, names, weights)
        d = self._columns.n_outputs
        k = self._n_codes(d, len(X))
        params = {**self._module_params(d, k, self._auto_sizes(d, len(X))), **params}
        loss: Any = self.likelihood
        if is_gaussian:
            loss = self._columns.likelihood(select(nested, "criterion"), per_feature=is_mixed)
            nested = {name: v for name, v in nested.items() if not name.startswith("criterion__")}
        elif isinstance(loss, str):
            loss = Part("losses", LIKELIHOODS[loss].__name__, {})
        recipe = Recipe(self.module, loss, self.optimizer, self.dtype, {**params, **nested})
        likelihood = recipe.make_loss()
        if not isinstance(likelihood, Likelihood):
            raise TypeError(
                f"likelihood={self.likelihood!r} must be one of {sorted(LIKELIHOODS)} or a "
                "skae.losses.Likelihood"
            )
        sizes = {"n_features": d, "n_components": k, "n_parameters": likelihood.n_parameters}
        wrap = Part("networks", network, sizes | network_params)
        steps = _PIXEL_STEPS if self._columns.are_pixels else _TABLE_STEPS
        return replace(recipe, wrap=wrap, auto_steps=steps)

    def _view(
        self, X: Any, dtype: torch.dtype, device: torch.device, *, training: bool = False
    ) -> Rows:
        if not training:
            return ColumnRows(X, self._columns, dtype, device)
        check_magnitude(X, dtype)
        self._columns = self._columns.remembering(X)
        return ColumnRows(X, self._columns, dtype, device).held(device)

    def _n_codes(self, n_features: int, n_rows: int) -> int:
        """Return the width of the code."""
        if isinstance(self.module, nn.Module):
            with inference():
                module: Any = copy.deepcopy(self.module).eval()
                weight = next(module.parameters(), torch.zeros(1))
                return module.encode(weight.new_zeros(2, n_features)).shape[1]
        if isinstance(self.n_components, str):
            # From few images no prior of many components can be learned, and there need be no more:
            # what they leave out are details. In tables every column counts.
            few = max(8, n_rows // _ROWS_PER_COMPONENT) if self._columns.are_pixels else n_features
            return min(n_features, _MOST_COMPONENTS, few)
        return int(self.n_components)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = isinstance(self.likelihood, str) and self.likelihood == "auto"
        return tags

    # ------------------------------------------------------------------ the prior

    def _codes(
        self, net: AutoencoderNet, x: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Return codes of rows, and their means."""
        raise NotImplementedError

    def _finish(self, net: AutoencoderNet, rows: Rows, y: Any) -> dict[str, Any]:
        seed = net.generator.initial_seed() % 2**31
        classes, labels = np.unique(y if self.conditional else len(rows) * [0], return_inverse=True)
        random = np.random.default_rng(seed)
        kept = _some_of_each(labels, random)
        codes = CodesOfRows.of(net, rows, kept, self._codes, self._traits, seed)
        net.criterion_.set_optimal_variance(codes.variance.to(net.device, net.dtype))
        parts = [codes.subset(labels[kept] == c) for c in range(len(classes))]
        priors = [
            self._fitted_prior(*part.drawn(MOST_ROWS, random.random()), seed) for part in parts
        ]
        n_active = int((codes.spread > _ACTIVE).sum())
        attributes: dict[str, Any] = {"n_active_components_": n_active, "prior_": priors[0]}
        attributes["_shares"] = None
        model, shares = self._fitted_rows(net, rows, labels, kept, seed), []
        if codes.traits.shape[1]:
            drawn = [self._new_traits(self._draws(net, prior, seed)) for prior in priors]
            shares = [part.trait_shares for part in parts]
            attributes["_shares"] = Shares.of(drawn, shares)
        attributes["_chain"] = model and model.calibrated(shares, self._new_traits, seed)
        if self.conditional:
            counts = np.bincount(labels, rows.own_weights)
            prior = ClassPriors(classes, counts / counts.sum(), priors)
            attributes |= {"classes_": classes, "prior_": prior}
        return attributes

    def _traits(self, encoded: Any) -> Any:
        """Return which categories, and which of two values, encoded rows have."""
        return encoded[:, len(self._columns.numbers) :] > 0.5

    def _new_traits(self, encoded: np.ndarray) -> np.ndarray:
        """Return the traits of those rows that are no training rows, as `sample` does."""
        columns = self._columns
        if not len(columns.hashes):
            return self._traits(encoded)
        matrix = columns.decode(encoded.astype(np.float64)).clip(columns.low, columns.high)
        is_new = ~columns.seen(self._format.rounded(matrix))
        return self._traits(encoded[is_new] if is_new.any() else encoded)

    def _draws(self, net: AutoencoderNet, prior: Any, seed: int) -> np.ndarray:
        """Return encoded rows that a net draws which is not the estimator's own yet."""
        prior = copy.copy(prior)
        prior.random_state = seed
        Z = torch.from_numpy(prior.sample(_DRAWS)[0]).to(net.dtype)
        module: Any = net.averaged_module_
        size = inference_rows(self._columns.n_outputs)
        with inference(), seeded_global_generators(seed, torch.device(net.device)):
            parts = [
                net.criterion_.sample(module.decode(z.to(net.device))).cpu() for z in Z.split(size)
            ]
        return torch.cat(parts).numpy()

    def _fitted_prior(self, Z: np.ndarray, traits: np.ndarray, seed: int) -> Any:
        if self.prior == "normal":
            return NormalPrior(Z.shape[1])
        if self.prior == "flow" and Z.shape[1] > 1:  # each half of a coupling needs a component
            return fit_flow(Z, seed)
        mixture = fit_mixture(Z, self.n_mixture_components, seed, traits)
        is_local = self.prior == "local"
        if self.prior == "auto":
            is_local = self._columns.are_pixels and self._columns.n_rows >= _MANY_IMAGES
        return fit_local(Z, mixture, seed) if is_local else mixture

    def _fitted_rows(
        self, net: AutoencoderNet, rows: Rows, labels: np.ndarray, kept: np.ndarray, seed: int
    ) -> RowModel | None:
        """Return what draws rows of a table without codes, if something does."""
        return None

    @property
    def _has_classes(self) -> bool:
        return isinstance(getattr(self, "prior_", None), ClassPriors)

    # ------------------------------------------------------------------ new rows

    def sample(
        self,
        n_samples: int = 1,
        y: Any = None,
        *,
        given: Any = None,
        balance: Any = None,
        random_state: Any = None,
    ) -> Any:
        """Draw new rows.

        Numbers in tables are drawn with the noise that the likelihood has; pixels are expected
        values, as a picture with noise is of use to nobody. No number lies outside of the range of
        its training values, nor has it more decimals, unless these have more than six. Categories,
        and columns of two values, have the shares that they have in the training rows; a chain
        draws them in strata, so that those of one call are nearer to them than shares of
        independent rows. Where the rows of a table can be told apart, one that equals a row that
        occurs once in training is drawn again. Rows are drawn some at a time.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        y : label or array-like of shape (n_samples,), default=None
            Class, or the class of each row, if the estimator is `conditional`. None draws classes
            in the proportions of the training data, or under `given`, in those of the rows that
            meet it.
        given : dict, default=None
            What cells of all rows are to be, for names of columns, or positions in an array: a
            value, a list or set of values, or an interval ``(low, high)`` that has both its ends,
            None for no end. None, as a value, is a missing cell. Other columns are distributed
            as they are in such rows.
        balance : column or dict, default=None
            A column whose values are to be equally frequent, or ``{column: {value: share}}`` for
            other shares, with values, or intervals, as for `given`. "y" stands for the classes if
            the estimator is `conditional`. The numbers of rows are exact.
        random_state : int, RandomState instance or None, default=None
            Determines the rows. None takes that of the estimator, so that an estimator with an
            integer gives the same rows every time.

        Returns
        -------
        ndarray or data frame of shape (n_samples, n_features)
            Rows in the form of the training data: an array, of integers if those were, or a frame
            with the same columns, dtypes and categories. They keep the `constraints`.

        Raises
        ------
        ValueError
            If `given` names what no row of the training data has, or fewer than one of 100,000 rows
            that are drawn is as it should be.
        """
        check_is_fitted(self)
        check_count("n_samples", n_samples, 1)
        random = check_random_state(self.random_state if random_state is None else random_state)
        table = Table(self._format, self._columns, self._constraints)
        conditions = conditions_of(given, table)
        if balance is not None:
            return self._format.restore(
                self._balanced_rows(n_samples, y, conditions, balance, table, random)
            )
        labels = self._sampled_labels(n_samples, y, random)
        if y is None and conditions:
            labels = None
        return self._format.restore(RowSampler(self, conditions, random).rows(n_samples, labels))

    def _balanced_rows(
        self, n: int, y: Any, conditions: list, balance: Any, table: Table, random: Any
    ) -> np.ndarray:
        """Draw rows in which the values of a column, or classes, have certain shares."""
        classes = self.classes_ if self._has_classes else None
        column, values, counts = balanced(balance, n, table, classes)
        if y is not None and np.ndim(y):
            raise ValueError("balance can't be had of rows whose classes y are given one by one")
        if classes is not None and isinstance(column, str) and column == "y":
            if y is not None:
                raise ValueError("balance of the classes y needs y=None")
            labels = random.permutation(np.repeat(self._class_numbers(np.array(values)), counts))
            return RowSampler(self, conditions, random).rows(n, labels)
        parts = []
        for value, n_each in zip(values, counts.tolist(), strict=True):
            own = conditions_with(conditions, column, value, table)
            if n_each:
                labels = None if y is None else self._sampled_labels(n_each, y, random)
                parts.append(RowSampler(self, own, random).rows(n_each, labels))
        return random.permutation(np.concatenate(parts))

    def _is_known(self, column: int) -> bool:
        """Tell whether the distribution of a column is known, given a code."""
        is_learned = self._constraints is not None and column in self._constraints.learned
        is_closed = isinstance(self.likelihood, str) and self.likelihood in ("auto", "gaussian")
        return is_closed and not self._columns.are_pixels and not is_learned

    def _sampled_labels(self, n_samples: int, y: Any, random: Any) -> np.ndarray:
        """Return the positions of the classes that rows are drawn from."""
        if not self._has_classes:
            if y is not None:
                raise ValueError("sample needs conditional=True in fit to draw rows of a class y")
            return np.zeros(n_samples, dtype=int)
        if y is None:
            return random.choice(len(self.classes_), n_samples, p=self.prior_.shares)
        y = np.broadcast_to(np.asarray(y), (n_samples,)) if np.ndim(y) == 0 else np.asarray(y)
        if y.shape != (n_samples,):
            raise ValueError(f"y has shape {y.shape}, but n_samples={n_samples}")
        return self._class_numbers(y)

    def _class_numbers(self, y: np.ndarray) -> np.ndarray:
        if unknown := sorted(set(y.tolist()) - set(self.classes_.tolist()), key=str):
            raise ValueError(
                f"y has labels {unknown[:5]}, which were not in the training data; those were "
                f"{self.classes_.tolist()}"
            )
        return np.searchsorted(self.classes_, y)

    # ------------------------------------------------------------------ codes and back

    def _restored(self, matrix: np.ndarray, dtype: np.dtype, like: Any) -> Any:
        matrix = self._decoded_columns(matrix).astype(dtype, copy=False)
        return matrix if self._format.is_numeric else self._format.restore(matrix, like)


def _some_of_each(labels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Tell which rows to keep, so that there are not too many of a class."""
    kept = np.ones(len(labels), dtype=bool)
    for label in np.flatnonzero(np.bincount(labels) > _MOST_CODES):
        rows = np.flatnonzero(labels == label)
        kept[random.permutation(rows)[_MOST_CODES:]] = False
    return kept
