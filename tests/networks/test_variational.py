"""The start from probabilistic PCA against its closed form, and networks without such a start."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from torch import nn

from skae.generation._objectives import EvidenceBound
from skae.losses import BernoulliLikelihood, BernoulliLoss, GaussianLikelihood
from skae.networks import ConvAutoencoder, DenseAutoencoder, VariationalNetwork
from skae.training import Batch, Step

K = 3  # components


def table(n_features):
    rng = np.random.default_rng(0)
    return rng.normal(size=(90, n_features)) @ rng.normal(size=(n_features, n_features)) + 5


@pytest.fixture
def X():
    return table(10)


def ppca(X, n_components=K):
    """Return probabilistic PCA with maximal likelihood: covariances are divided by n."""
    n, mean = len(X), X.mean(0)
    return PCA(n_components).fit(mean + (X - mean) * np.sqrt((n - 1) / n))


def initialized(X, network=None, n_components=K, **params):
    network = DenseAutoencoder(X.shape[1], n_components) if network is None else network
    module = VariationalNetwork(network, X.shape[1], n_components, **params).double()
    x = torch.from_numpy(X)
    module.initialize(x, x)
    return module.eval()


def loadings(module, n_components=K):
    """Return the matrix and the offset of a decoder that is linear."""
    z = torch.cat([torch.zeros(1, n_components), torch.eye(n_components)]).double()
    offset, *ends = module.decode(z).detach()
    return (torch.stack(ends) - offset).T.numpy(), offset.numpy()


NETWORKS = {
    "dense": lambda: DenseAutoencoder(10, K),
    "deep": lambda: DenseAutoencoder(10, K, hidden_layer_sizes=(12, 7), normalization="layer"),
    "linear": lambda: DenseAutoencoder(10, K, hidden_layer_sizes=()),
    "conv": lambda: ConvAutoencoder(64, K, image_shape=(1, 8, 8)),
}


@pytest.fixture(params=NETWORKS)
def start(request):
    """Return data, and a network that was initialized by them."""
    X = table(64 if request.param == "conv" else 10)
    return X, initialized(X, NETWORKS[request.param]())


# ---------------------------------------------------------------- probabilistic PCA


def test_posterior_is_that_of_probabilistic_pca(start):
    X, module = start
    pca = ppca(X)

    mean, log_variance = module.posterior(torch.from_numpy(X))

    W, _ = loadings(module)
    precision = np.eye(K) + W.T @ W / pca.noise_variance_
    expected = (X - X.mean(0)) @ W @ np.linalg.inv(precision) / pca.noise_variance_
    np.testing.assert_allclose(mean.detach(), expected, atol=1e-8)
    variance = log_variance.exp().detach().numpy()
    for row in variance:
        np.testing.assert_allclose(np.diag(row), np.linalg.inv(precision), atol=1e-8)


def test_covariance_is_that_of_probabilistic_pca(start):
    X, module = start

    W, offset = loadings(module)

    pca = ppca(X)
    covariance = W @ W.T + pca.noise_variance_ * np.eye(len(W))
    np.testing.assert_allclose(covariance, pca.get_covariance(), atol=1e-8)
    np.testing.assert_allclose(offset, X.mean(0))


def losses(module, X, variance, seed=0, n_samples=5):
    criterion = GaussianLikelihood(variance=variance).double().eval()
    x, generator = torch.from_numpy(X), torch.Generator().manual_seed(seed)
    objective = EvidenceBound(n_samples=n_samples)
    with torch.no_grad():
        return objective.losses(Step(module, criterion, Batch(x, x), generator)).rows.numpy()


@pytest.mark.parametrize("seed", [0, 1])
def test_importance_weighted_bound_is_the_log_likelihood(seed, start):
    """Where q(z | x) is the posterior, p(x, z) / q(z | x) is p(x) for every z."""
    X, module = start
    pca = ppca(X)

    actual = losses(module, X, pca.noise_variance_, seed)

    np.testing.assert_allclose(-actual, pca.score_samples(X), rtol=1e-6)


def test_bound_is_the_log_likelihood_on_average(X):
    pca, module = ppca(X), initialized(X)

    actual = losses(module, np.repeat(X, 500, axis=0), pca.noise_variance_, n_samples=1)

    assert -actual.mean() == pytest.approx(pca.score(X), abs=0.05)


def test_bound_of_new_rows_is_their_log_likelihood(X):
    new = X + np.random.default_rng(1).normal(size=X.shape)
    pca = ppca(X)

    actual = losses(initialized(X), new, pca.noise_variance_)

    np.testing.assert_allclose(-actual, pca.score_samples(new), rtol=1e-6)


def test_noise_of_probabilistic_pca_is_the_optimal_variance(X):
    module, x = initialized(X), torch.from_numpy(np.repeat(X, 500, axis=0))
    mean, log_variance = module.posterior(x)
    noise = torch.randn(mean.shape, generator=torch.Generator().manual_seed(0), dtype=mean.dtype)

    residual = module.decode(mean + (log_variance / 2).exp() * noise) - x

    expected = ppca(X).noise_variance_
    assert residual.square().mean().item() == pytest.approx(expected, rel=0.01)


def test_codes_of_the_data_have_the_distribution_of_the_prior(X):
    mean, log_variance = initialized(X).posterior(torch.from_numpy(X))

    covariance = mean.detach().T.cov(correction=0) + log_variance.exp().mean(0).diag().detach()
    torch.testing.assert_close(covariance, torch.eye(K, dtype=torch.double))


def test_units_do_not_matter(X):
    x = torch.from_numpy(X)
    small, large = initialized(X), initialized(1e4 * X)

    for actual, expected in zip(large.posterior(1e4 * x), small.posterior(x), strict=True):
        torch.testing.assert_close(actual, expected)
    torch.testing.assert_close(large(1e4 * x), 1e4 * small(x))


# ---------------------------------------------------------------- the edges of that start


@pytest.mark.parametrize("n_components", [4, 10])
def test_low_rank_starts_with_little_noise(n_components):
    """Where PCA leaves no residual, codes of the components in use are nearly certain."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, 2)) @ rng.normal(size=(2, 10))
    module, x = initialized(X, n_components=n_components), torch.from_numpy(X)

    mean, log_variance = module.posterior(x)

    variance = log_variance.exp().mean(0).sort().values
    assert mean.isfinite().all()
    assert (variance[:2] < 0.05).all()
    assert (variance[2:] > 0.9).all()
    assert (module(x) - x).square().mean() < 1e-3 * x.var()


def test_all_components_reconstruct_nearly_all(X):
    module, x = initialized(X, n_components=10), torch.from_numpy(X)

    assert (module(x) - x).square().mean() < 1e-2 * x.var()


@pytest.mark.parametrize("n", [1, 2, 5])
def test_start_from_few_rows_is_finite(n, X):
    module, x = initialized(X[:n], n_components=5), torch.from_numpy(X)

    for part in (*module.posterior(x), module(x)):
        assert part.isfinite().all()


def test_start_from_constants_is_finite():
    module, x = initialized(np.ones((20, 10))), torch.ones(20, 10).double()

    for part in (*module.posterior(x), module(x)):
        assert part.isfinite().all()


def test_start_is_the_regression_of_the_linked_data(X):
    """Another likelihood: the decoder is the best linear map from codes to its own units."""
    x = torch.from_numpy(X > 5).double()
    link = BernoulliLoss().link(x)
    module = VariationalNetwork(DenseAutoencoder(10, K), 10, K).double().eval()
    module.initialize(x, link)

    output = module.network(x).detach().numpy()

    code = np.column_stack([module.encode(x).detach().numpy(), np.ones(90)])
    expected = code @ np.linalg.lstsq(code, link.numpy())[0]
    np.testing.assert_allclose(output, expected, atol=1e-8)
    assert (module(x) - link).square().mean() < link.var()
    errors = BernoulliLikelihood().log_prob(module(x), x)
    assert errors.mean() > BernoulliLikelihood().log_prob(link.mean(0).expand(90, -1), x).mean()


# ---------------------------------------------------------------- networks without such a start


class Plain(nn.Module):
    """Any autoencoder."""

    def __init__(self):
        super().__init__()
        self.encode, self.decode = nn.Linear(10, K), nn.Linear(K, 10)


class Untied(DenseAutoencoder):
    """Random weights."""

    def __init__(self):
        super().__init__(10, K, linear_skip=False)


@pytest.mark.parametrize("network_class", [Plain, Untied])
def test_other_networks_keep_their_weights(network_class, X):
    network, x = network_class().double(), torch.from_numpy(X)
    code, output = network.encode(x), network.decode(network.encode(x))

    module = initialized(X, network)

    torch.testing.assert_close(module.encode(x), code)
    torch.testing.assert_close(module(x), output)
    torch.testing.assert_close(module.posterior(x)[1], torch.zeros_like(code))


# ---------------------------------------------------------------- more parameters


@pytest.mark.parametrize("n_parameters", [2, 3])
def test_more_parameters_come_after_the_first(n_parameters, X):
    module, x = initialized(X, n_parameters=n_parameters), torch.from_numpy(X)

    output = module(x)

    torch.testing.assert_close(output[:, :10], initialized(X)(x))
    assert output.shape == (90, 10 * n_parameters)
    assert (output[:, 10:] == 0).all()


def test_all_weights_learn(X):
    module, x = initialized(X, n_parameters=2).train(), torch.from_numpy(X)
    objective, criterion = EvidenceBound(), GaussianLikelihood(variance="predicted").double()
    optimizer = torch.optim.SGD(module.parameters(), lr=1e-3)
    for step in range(3):  # the heads' last layers are zero at first
        generator = torch.Generator().manual_seed(step)
        optimizer.zero_grad()
        objective.backward(Step(module, criterion, Batch(x, x), generator, 1))
        optimizer.step()

    for name, parameter in module.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


def test_posterior_variance_is_bounded(X):
    module = initialized(X)
    for bias in (-1e3, 1e3):
        nn.init.constant_(module.log_variance[-1].bias, bias)

        variance = module.posterior(torch.from_numpy(X))[1].exp()

        assert (variance > 1e-7).all()
        assert (variance < 1e3).all()


def test_state_holds_the_start(X):
    module, x = initialized(X), torch.from_numpy(X)
    twin = VariationalNetwork(DenseAutoencoder(10, K), 10, K).double().eval()

    twin.load_state_dict(module.state_dict())

    torch.testing.assert_close(twin(x), module(x))
    for actual, expected in zip(twin.posterior(x), module.posterior(x), strict=True):
        torch.testing.assert_close(actual, expected)
