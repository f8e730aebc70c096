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

from .._base import BaseAutoencoder, HasSchema, checked_table
from .._plain import Part
from .._settings import inference
from ..losses import LIKELIHOODS, Likelihood
from ..tables import ColumnRows, Columns, FrameFormat
from ..training import ArrayRows, AutoencoderNet, Recipe, Rows
from ..training._nested import select
from ..training._random import seeded_global_generators
from ..training._rows import inference_rows
from ..training._trainer import check_magnitude
from ._checks import check_count, checked_components, checked_labels, checked_values
from ._flow import fit_flow
from ._priors import ClassPriors, NormalPrior, drawn, fit_mixture
from ._shares import Shares

_MOST_COMPONENTS, _ROWS_PER_COMPONENT = 64, 50
_ACTIVE = 0.01
_PIXEL_STEPS, _TABLE_STEPS = 2000, 5000
_MANY_ROWS = 5000
_MOST_REDRAWS = 50
_CELLS = 2**20  # that are drawn at once
_DRAWS = 20_000  # by which the shares of categories are known
_MOST_CODES = 60_000  # of a class, that a prior is fitted to


class BaseGenerator(HasSchema, BaseAutoencoder):
    """Base of the estimators that draw new rows from a distribution of codes."""

    _parameter_constraints: dict = {
        **BaseAutoencoder._parameter_constraints,
        "n_components": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "likelihood": [StrOptions({"auto"} | set(LIKELIHOODS)), callable, nn.Module],
        "scale": [StrOptions({"auto", "normal_scores", "range"}), None],
        "prior": [StrOptions({"mixture", "normal", "flow"})],
        "n_mixture_components": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "conditional": ["boolean"],
        "column_kinds": [dict, None],
    }

    _changeable = BaseAutoencoder._changeable | {"conditional", "n_mixture_components", "prior"}

    # ------------------------------------------------------------------ data

    def _checked(self, X: Any, *, reset: bool = False) -> Any:
        kinds = self.column_kinds
        form = FrameFormat.of(X, kinds=kinds) if reset else getattr(self, "_format", None)
        X = checked_table(self, X, form, reset=reset)
        if reset:
            self._format = form
        return X

    def _checked_target(self, X: Any, y: Any) -> Any:
        if not self.conditional:
            return y
        if self.prior == "normal":
            raise ValueError(
                "conditional=True gives each class a prior of its own, but with prior='normal' all "
                "have the same; take prior='mixture' or 'flow', or conditional=False"
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
        self._columns = Columns.of(X, categories, scale, is_mixed, self._format.names)
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
        generator = torch.Generator(net.device).manual_seed(seed)
        module: Any = net.averaged_module_
        classes, labels = np.unique(y if self.conditional else len(rows) * [0], return_inverse=True)
        kept = _some_of_each(labels, np.random.default_rng(seed))
        codes, traits, start = [], [], 0
        squares: Any = 0.0
        n_observed: Any = 0
        sums = torch.zeros(2, 1, dtype=torch.float64)
        with inference():
            for batch in rows.batches():
                x = batch.input
                z, mean = self._codes(net, x, generator)
                residual = net.criterion_.residual(module.decode(z), x)
                squares = squares + residual.square().nansum(0, dtype=torch.float64).cpu()
                n_observed = n_observed + (~residual.isnan()).sum(0).cpu()
                powers = torch.stack([mean, mean.square()])
                sums = sums + powers.sum(1, dtype=torch.float64).cpu()
                some = torch.from_numpy(kept[start : start + len(x)])
                codes.append(z.cpu()[some])
                traits.append(self._traits(x).cpu()[some])
                start += len(x)
        net.criterion_.set_optimal_variance((squares / n_observed).to(net.device, net.dtype))
        first, second = sums / len(rows)
        n_active = int((second - first.square() > _ACTIVE).sum())
        Z, T = torch.cat(codes).numpy(), torch.cat(traits).numpy()
        of_class = labels[kept]
        priors = [
            self._fitted_prior(Z[of_class == c], T[of_class == c], seed)
            for c in range(len(classes))
        ]
        attributes: dict[str, Any] = {"n_active_components_": n_active, "prior_": priors[0]}
        attributes["_shares"] = None
        if T.shape[1]:
            drawn = [self._traits(self._draws(net, prior, seed)) for prior in priors]
            wanted = [T[of_class == c].mean(axis=0) for c in range(len(classes))]
            attributes["_shares"] = Shares.of(drawn, wanted)
        if self.conditional:
            shares = np.bincount(labels) / len(labels)
            prior = ClassPriors(classes, shares, priors)
            attributes |= {"classes_": classes, "prior_": prior}
        return attributes

    def _traits(self, encoded: Any) -> Any:
        """Return which categories, and which of two values, encoded rows have."""
        return encoded[:, len(self._columns.numbers) :] > 0.5

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
        return fit_mixture(Z, self.n_mixture_components, seed, traits)

    @property
    def _has_classes(self) -> bool:
        return isinstance(getattr(self, "prior_", None), ClassPriors)

    def _class_scores(self, Z: np.ndarray) -> np.ndarray:
        """Return the log-density of codes in each class, or one column without classes."""
        if self._has_classes:
            return self.prior_.class_scores(Z)
        prior = getattr(self, "prior_", None) or NormalPrior(Z.shape[1])  # none while it is fitted
        return prior.score_samples(Z)[:, None]

    # ------------------------------------------------------------------ new rows

    def sample(self, n_samples: int = 1, y: Any = None, *, random_state: Any = None) -> Any:
        """Draw new rows.

        Numbers in tables are drawn with the noise that the likelihood has; pixels are expected
        values, as a picture with noise is of use to nobody. No number lies outside of the range of
        its training values. Categories, and columns of two values, have the shares
        that they have in the training rows. Where the rows of a table can be told apart, one that
        equals a row that occurs once in training is drawn again. Rows are drawn some at a time.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        y : label or array-like of shape (n_samples,), default=None
            Class, or the class of each row, if the estimator is `conditional`. None draws classes
            in the proportions of the training data.
        random_state : int, RandomState instance or None, default=None
            Determines the rows. None takes that of the estimator, so that an estimator with an
            integer gives the same rows every time.

        Returns
        -------
        ndarray or data frame of shape (n_samples, n_features)
            Rows in the form of the training data: an array, of integers if those were, or a frame
            with the same columns, dtypes and categories.
        """
        check_is_fitted(self)
        check_count("n_samples", n_samples, 1)
        random = check_random_state(self.random_state if random_state is None else random_state)
        labels = self._sampled_labels(n_samples, y, random)
        matrix = np.empty((n_samples, len(self._columns.low)))
        size = max(1, _CELLS // self._columns.n_outputs)
        for some in (slice(start, start + size) for start in range(0, n_samples, size)):
            matrix[some] = self._new(labels[some], random)
        return self._format.restore(matrix)

    def _new(self, labels: np.ndarray, random: Any) -> np.ndarray:
        """Draw a row of each of some classes, none that is somebody's if others can be had."""
        matrix = np.empty((len(labels), len(self._columns.low)))
        again = np.arange(len(labels))
        for _ in range(_MOST_REDRAWS):
            matrix[again], is_taken = self._drawn(labels[again], random)
            again = again[~is_taken | self._columns.seen(matrix[again])]
            if not len(again):
                break
        return matrix

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

    def _drawn(self, labels: np.ndarray, random: Any) -> tuple[np.ndarray, np.ndarray]:
        """Draw a row of each of some classes, and whether to take it."""
        priors = self.prior_.priors if self._has_classes else [self.prior_]
        Z = drawn(priors, labels, random)
        criterion: Any = self.net_.criterion_
        draw = criterion.mean if self._columns.are_pixels else criterion.sample
        rows = ArrayRows(Z, self.net_.dtype, torch.device("cpu"))
        with seeded_global_generators(random.randint(2**31), torch.device(self.net_.device)):
            encoded = self._apply_to(rows, lambda m, batch: draw(m.decode(batch.input)))
        columns, is_taken = self._columns, np.ones(len(labels), dtype=bool)
        if self._shares is not None:
            is_taken = self._shares.taken(self._traits(encoded), labels, random)
        matrix = columns.decode(encoded.astype(np.float64)).clip(columns.low, columns.high)
        return self._format.rounded(matrix), is_taken

    # ------------------------------------------------------------------ codes and back

    def _restored(self, matrix: np.ndarray, dtype: np.dtype, like: Any) -> Any:
        matrix = self._columns.decode(matrix).astype(dtype, copy=False)
        return matrix if self._format.is_numeric else self._format.restore(matrix, like)

    def interpolate(self, X_start: Any, X_stop: Any, n_steps: int = 8) -> np.ndarray:
        """Walk from rows to rows, along straight lines between their codes.

        Parameters
        ----------
        X_start, X_stop : {array-like, data frame} of shape (n_samples, n_features)
            Where to start and where to arrive.
        n_steps : int, default=8
            Number of rows on each way, both ends included.

        Returns
        -------
        ndarray of shape (n_samples, n_steps, n_features)
            Expected rows; categories by their positions in sorted order.
        """
        start, stop = self.transform(X_start), self.transform(X_stop)
        if start.shape != stop.shape:
            raise ValueError(
                f"X_start has {len(start)} rows, but X_stop has {len(stop)}; they must be pairs"
            )
        check_count("n_steps", n_steps, 2)
        t = np.linspace(0, 1, n_steps)[:, None]
        codes = start[:, None] * (1 - t) + stop[:, None] * t
        return self._expected(codes)

    def traverse(self, X: Any, components: Any = None, values: Any = None) -> np.ndarray:
        """Change one component of the codes of rows after the other.

        Parameters
        ----------
        X : {array-like, data frame, CSR matrix or array} of shape (n_samples, n_features)
            Rows to start from.
        components : int or array-like of int, default=None
            Which components, counted from 0; None for all.
        values : array-like of shape (n_values,), default=None
            What each is set to; None takes seven values from -2 to 2.

        Returns
        -------
        ndarray of shape (n_samples, n_components, n_values, n_features)
            Expected rows; categories by their positions in sorted order.
        """
        codes = self.transform(X)
        chosen = checked_components(components, codes.shape[1])
        values = np.linspace(-2, 2, 7) if values is None else checked_values(values)
        walks = np.broadcast_to(
            codes[:, None, None], (len(codes), len(chosen), len(values), codes.shape[1])
        ).copy()
        for i, component in enumerate(chosen):
            walks[:, i, :, component] = values
        return self._expected(walks)

    def _expected(self, codes: np.ndarray) -> np.ndarray:
        encoded = self._decoded(codes.reshape(-1, codes.shape[-1]))
        return self._columns.decode(encoded).reshape(*codes.shape[:-1], -1)


def _some_of_each(labels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Tell which rows to keep, so that there are not too many of a class."""
    kept = np.ones(len(labels), dtype=bool)
    for label in np.flatnonzero(np.bincount(labels) > _MOST_CODES):
        rows = np.flatnonzero(labels == label)
        kept[random.permutation(rows)[_MOST_CODES:]] = False
    return kept
