"""Overlapping patches are an orthogonal transform of images."""

import pytest
import torch

from skae.networks.codec._orientation import oriented
from skae.networks.codec._patches import LappedPatches
from skae.networks.codec._transform import PatchTransform


def draw(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("patch_shape", [(8, 8), (4, 6), (5, 3), (1, 7), (1, 1), (2, 1)])
@pytest.mark.parametrize("grid", [(3, 5), (1, 4), (1, 1), (7, 2)])
def test_images_come_back_from_their_patches(patch_shape, grid):
    lapped = LappedPatches(patch_shape).double()
    x = draw(2, grid[0] * patch_shape[0], grid[1] * patch_shape[1], 3)
    patches = lapped.patches(x)
    assert patches.shape == (2, *grid, patch_shape[0] * patch_shape[1] * 3)
    torch.testing.assert_close(lapped.images(patches), x, rtol=0, atol=1e-5)
    torch.testing.assert_close(patches.square().sum(), x.square().sum(), rtol=1e-5, atol=0)


def test_patches_look_across_their_borders():
    lapped = LappedPatches((4, 4)).double()
    x = draw(1, 12, 12, 1)
    changed = x.clone()
    changed[:, 3] += 1  # the last row of the first patches
    difference = (lapped.patches(changed) - lapped.patches(x)).abs().amax((0, 2, 3))
    assert (difference > 0.01).tolist() == [True, True, False]


def test_smooth_images_stay_smooth():
    x = torch.full((1, 16, 16, 1), 7.0)
    torch.testing.assert_close(LappedPatches((4, 4)).patches(x), torch.full((1, 4, 4, 16), 7.0))


@pytest.mark.parametrize(("n_patches", "sees_borders"), [(16, False), (15, True)])
def test_components_are_those_of_patches_that_were_not_cut(n_patches, sees_borders):
    x = draw(1, 4 * n_patches, 4 * n_patches, 1)
    other = x.flip(1)
    other[:, 2:-2, 2:-2] = x[:, 2:-2, 2:-2]
    first, second = (PatchTransform((4, 4), 16, 16).double() for _ in range(2))
    first.fit(x)
    second.fit(other)
    assert torch.equal(first.analysis, second.analysis) != sees_borders


def test_components_of_equal_variance_are_horizontal_or_vertical():
    line = 0.9 ** (torch.arange(4.0) - torch.arange(4.0)[:, None]).abs().double()
    covariance = torch.kron(line, line)  # all is as frequent along rows as along columns
    variances, vectors = torch.linalg.eigh(covariance)
    variances, vectors = variances.flip(0), vectors.flip(1)
    angle = torch.tensor(0.6)
    turn = torch.stack([angle.cos(), angle.sin(), -angle.sin(), angle.cos()]).view(2, 2).double()
    vectors[:, 1:3] = vectors[:, 1:3] @ turn
    found = oriented(vectors, covariance, (4, 4))
    torch.testing.assert_close(found.T @ found, torch.eye(16).double())
    torch.testing.assert_close((found * (covariance @ found)).sum(0), variances)
    pictures = found[:, 1:3].T.view(2, 4, 4)
    assert torch.linalg.svdvals(pictures)[:, 1].max() < 1e-6  # a column times a row
