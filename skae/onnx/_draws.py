"""New rows from noise: a prior of codes, the decoder, and the noise of cells."""

from typing import Any

import numpy as np
import torch
from scipy.special import ndtri
from torch import Tensor, nn

from ..generation._chain import Chain
from ..generation._flow import FlowPrior
from ..generation._local import LocalPrior
from ..generation._priors import ClassPriors, NormalPrior
from ..losses import GaussianLikelihood
from ..networks import CouplingFlow
from ..training._state import to_tensors
from ._errors import OnnxExportError
from ._graphs import CodeGraph


class SampleGraph(CodeGraph):
    """The method `sample` of a generator of rows, its noise as the input.

    The columns of the noise, all standard normal: one chooses the Gaussian of the mixture, then one
    for each main axis of many small ones, one for each component of the code, and one for each cell
    unless rows are pixels. Gaussians of rows need no code.

    Parameters
    ----------
    estimator : BaseGenerator
        Fitted, on the CPU. Its network computes in float32 from now on.

    Raises
    ------
    OnnxExportError
        If rows are drawn column by column, again until they have the wanted shares, or by
        another likelihood.
    """

    whole: Tensor

    def __init__(self, estimator: Any) -> None:
        super().__init__(estimator)
        name, columns = type(estimator).__name__, estimator._columns
        rows = getattr(estimator, "_chain", None)  # older states have none
        if isinstance(rows, Chain):
            raise OnnxExportError(
                f"sample of this {name} has no ONNX form, because it draws rows column by column; "
                "call its own sample, or take chain=False"
            )
        if (estimator._shares if rows is None else rows.shares) is not None:
            raise OnnxExportError(
                f"sample of this {name} has no ONNX form, because it draws rows again until values "
                "of binary and incomplete columns are as frequent as in training; call its own "
                "sample"
            )
        self.is_exact = columns.are_pixels
        if not (self.is_exact or isinstance(self.criterion, GaussianLikelihood)):
            raise OnnxExportError(
                f"sample of this {name} has no ONNX form, because its likelihood is not Gaussian: "
                f"{type(self.criterion).__name__}; call its own sample"
            )
        self.width, prior = self.n_codes, estimator.prior_
        if rows is not None:  # as codes that are decoded already
            self.width, prior = len(columns.numbers), rows.of_classes(prior)
        self.are_rows = rows is not None
        priors, shares = [prior], np.ones(1)
        if isinstance(prior, ClassPriors):
            priors, shares = prior.priors, prior.shares
        self.prior: Any = (
            LocalCodesFromNoise(priors, shares)
            if all(isinstance(each, LocalPrior) for each in priors)
            else CodesFromNoise(prior, self.width)
        )
        # Columns of whole numbers, which a quarter tells.
        quarter = estimator._format.rounded(np.full((1, self.n_features), 0.25))[0]
        self.register_buffer("whole", torch.from_numpy(quarter == 0.0))

    def width_of(self, method: str) -> int:
        has_cells = not (self.is_exact or self.are_rows)
        return 1 + self.prior.n_noise + (len(self.view.columns.numbers) if has_cells else 0)

    def sample(self, noise: Tensor) -> Tensor:
        n = 1 + self.prior.n_noise
        of_codes, of_cells = noise[:, :n], noise[:, n:]
        cells = self.prior(of_codes.double()).float()
        if not self.are_rows:
            output = self.module.decode(cells)
            cells = self.criterion.mean(output)
            if not self.is_exact:
                cells = cells + self.criterion.distribution(output).stddev * of_cells.float()
        rows = torch.maximum(torch.minimum(self.view.undo(cells), self.view.high), self.view.low)
        return torch.where(self.whole, rows.round(), rows).to(noise.dtype)


class CodesFromNoise(nn.Module):
    """Codes from standard normal noise, float64.

    Parameters
    ----------
    prior : Prior
        Whose codes.
    n_codes : int
        Width of the code.
    """

    ends: Tensor
    means: Tensor
    roots: Tensor

    def __init__(self, prior: Any, n_codes: int) -> None:
        super().__init__()
        self.flow, self.n_noise = None, n_codes
        if isinstance(prior, FlowPrior):
            with torch.device("meta"):
                flow = CouplingFlow(n_codes)
            flow.load_state_dict(to_tensors(prior.weights), assign=True)
            self.flow = flow.double()
            weights, means = np.ones(1), prior.mean[None]
            roots = np.linalg.inv(prior.whitening).T[None]
        else:
            weights, means, roots = _gaussians(prior, n_codes)
        arrays = {"ends": _ends(weights), "means": means}
        for name, array in (arrays | {"roots": roots}).items():
            self.register_buffer(name, torch.from_numpy(np.array(array, np.float64)))

    def forward(self, noise: Tensor) -> Tensor:
        """Return codes for noise of shape (n_samples, 1 + n_codes)."""
        which, noise = (noise[:, :1] > self.ends).sum(1), noise[:, 1:]
        if self.flow is not None:
            noise = self.flow.decode(noise)
        if len(self.means) == 1:
            return self.means[0] + noise @ self.roots[0].T
        return self.means[which] + (self.roots[which] @ noise[:, :, None]).squeeze(2)


class LocalCodesFromNoise(nn.Module):
    """The same from many small Gaussians, each with main axes of its own.

    Parameters
    ----------
    priors : list of LocalPrior
        One for each class.
    shares : ndarray of shape (n_classes,)
        Shares of the classes.
    """

    ends: Tensor
    means: Tensor
    axes: Tensor
    rests: Tensor
    roots: Tensor
    classes: Tensor

    def __init__(self, priors: list[LocalPrior], shares: np.ndarray) -> None:
        super().__init__()
        weights = [share * each.shares for share, each in zip(shares, priors, strict=True)]
        arrays = {"ends": _ends(np.concatenate(weights))}
        for name in ("means", "axes", "rests"):
            arrays[name] = np.concatenate([getattr(each, name) for each in priors])
        arrays["roots"] = np.stack([each.root for each in priors])
        for name, array in arrays.items():
            self.register_buffer(name, torch.from_numpy(np.array(array, np.float64)))
        counts = [len(each.shares) for each in priors]
        self.register_buffer("classes", torch.from_numpy(np.repeat(np.arange(len(priors)), counts)))
        self.n_axes = self.axes.shape[1]
        self.n_noise = self.n_axes + self.means.shape[1]

    def forward(self, noise: Tensor) -> Tensor:
        """Return codes for noise of shape (n_samples, 1 + n_noise)."""
        which, noise = (noise[:, :1] > self.ends).sum(1), noise[:, 1:].unsqueeze(1)
        along, rest = noise[:, :, : self.n_axes], noise[:, :, self.n_axes :]
        rest = self.rests[which, None, None] * (rest @ self.roots[self.classes[which]])
        return self.means[which] + (along @ self.axes[which] + rest).squeeze(1)


def _ends(weights: np.ndarray) -> np.ndarray:
    """Return the normal quantiles between which noise chooses each of some Gaussians."""
    return ndtri(weights.cumsum()[:-1].clip(max=1.0))


def _gaussians(prior: Any, n_codes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return weights, means and roots of covariances of the Gaussians of a prior."""
    if isinstance(prior, NormalPrior):
        return np.ones(1), np.zeros((1, n_codes)), np.eye(n_codes)[None]
    if isinstance(prior, ClassPriors):
        if any(isinstance(each, FlowPrior) for each in prior.priors):
            raise OnnxExportError(
                "sample has no ONNX form with prior='flow' and conditional=True; take "
                "prior='mixture'"
            )
        parts = [_gaussians(each, n_codes) for each in prior.priors]
        weights = [share * part[0] for share, part in zip(prior.shares, parts, strict=True)]
        means, roots = zip(*(part[1:] for part in parts), strict=True)
        return np.concatenate(weights), np.concatenate(means), np.concatenate(roots)
    covariances = np.asarray(prior.covariances_, dtype=np.float64)
    shape = (len(prior.weights_), n_codes, n_codes)
    return prior.weights_, prior.means_, np.linalg.cholesky(np.broadcast_to(covariances, shape))
