"""Decoding elsewhere: the same integers from a stream, whatever adds up the floating point."""

import contextlib
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits, load_sample_image

from skae.coding import N_NUMBERS, N_PER_LEVEL, _codec, _entropy
from skae.coding._model import whole_log
from skae.compression import ImageCompressor
from skae.networks import N_LEVELS
from skae.networks.codec import _wide_contexts

QUALITIES = (5, 50, 95)


@pytest.fixture(scope="module")
def photo():
    return load_sample_image("china.jpg")[:120, :151]


@pytest.fixture(scope="module")
def model(photo):
    params = {"module__width": 8, "module__n_blocks": 1}
    model = ImageCompressor(n_components=48, max_epochs=1, random_state=0, **params)
    return model.fit([photo, photo[:59]])


@pytest.fixture(scope="module")
def of_digits():
    X = (load_digits().data * 15.9).astype(np.uint8).reshape(-1, 8, 8)
    params = {"patch_shape": (4, 4), "max_epochs": 0, "random_state": 0}
    return ImageCompressor(module__wide=False, **params).fit(X[:900])


@pytest.fixture(scope="module")
def streams(model, photo):
    return [model.compress([photo], quality=quality)[0] for quality in QUALITIES]


@pytest.fixture(params=["constriction", "numpy"])
def coder(request, monkeypatch):
    if request.param == "numpy":
        monkeypatch.setattr(_entropy, "constriction", None)


def read(model, streams):
    """Return all integers of streams, the numbers of their tables, and the pictures."""
    seen = []

    class Recorder(_entropy.Decoder):
        def take(self, tables, which):
            integers = super().take(tables, which)
            seen.append(np.stack([integers, which]).reshape(2, -1))
            return integers

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_codec, "Decoder", Recorder)
        pictures = model.decompress(streams)
    return np.concatenate(seen, 1), np.stack(pictures)


@pytest.fixture(scope="module")
def expected(model, streams):
    return read(model, streams)


def assert_same(read, expected):
    (integers, pictures), (expected_integers, expected_pictures) = read, expected
    np.testing.assert_array_equal(integers, expected_integers)
    difference = np.abs(pictures.astype(int) - expected_pictures)
    assert difference.max() <= 1
    assert (difference > 0).mean() <= 1e-5


@contextlib.contextmanager
def n_threads(n):
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextlib.contextmanager
def default_dtype(dtype):
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


CONDITIONS = {
    "one thread": lambda: n_threads(1),
    "two threads": lambda: n_threads(2),
    "without oneDNN": lambda: torch.backends.mkldnn.flags(False, False, None),
    "float64 as default": lambda: default_dtype(torch.float64),
}


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.usefixtures("coder")
def test_decoding_under(condition, model, streams, expected):
    with CONDITIONS[condition]():
        assert_same(read(model, streams), expected)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_encoding_under(condition, model, photo):
    """What is written under one condition is read under another."""
    codec = model._codec
    for quality in QUALITIES:
        with CONDITIONS[condition]():
            y = model._streams.coefficients([photo])
            stream, (decoded, _) = codec.encode(y, quality), codec.cost(y, quality)
        # A different integer would differ by a whole step, of at least seven.
        read = codec.decode(stream, y.shape[:3], quality)
        torch.testing.assert_close(read, decoded, rtol=0, atol=0.01)


@pytest.mark.usefixtures("coder")
def test_channels_last(model, streams, expected):
    twin = pickle.loads(pickle.dumps(model))
    twin._codec.network.to(memory_format=torch.channels_last)
    assert twin.fingerprint_ == twin._streams_of(twin._codec).fingerprint
    assert_same(read(twin, streams), expected)


@pytest.mark.usefixtures("coder")
def test_pickling(model, streams, expected):
    twin = pickle.loads(pickle.dumps(model))
    assert model.fingerprint_ == twin.fingerprint_ == twin._streams_of(twin._codec).fingerprint
    assert_same(read(twin, streams), expected)


def in_another_order(parts, weights):
    """Return products as contexts take them, with the terms of all sums in another order."""
    order = torch.randperm(len(weights), generator=torch.Generator().manual_seed(1))
    return torch.cat(parts).movedim(0, -1)[..., order] @ weights[order]


@pytest.mark.parametrize("factor", [1 - 2**-23, 1 + 2**-22])
def test_no_floating_point_decides_a_table(factor, model, streams, monkeypatch):
    """Who computes all floats a little differently reads the same integers by the same tables."""
    expected, _ = read(model, streams)
    twin = pickle.loads(pickle.dumps(model))
    network = twin._codec.network
    # Those of contexts are whole numbers.
    for name, value in network.state_dict().items():
        if not name.startswith("contexts"):
            value.mul_(factor)
    monkeypatch.setattr(_wide_contexts, "_linear", in_another_order)
    monkeypatch.setattr(twin._codec.law, "_thresholds", torch.full((64, 33), torch.nan))
    found, _ = read(twin, streams)
    np.testing.assert_array_equal(found, expected)


SCRIPT = """
import importlib.util, pickle, sys
import numpy as np
import torch
torch.set_num_threads(int(sys.argv[2]))
sys.modules[sys.argv[3]] = None
spec = importlib.util.spec_from_file_location("here", sys.argv[4])
here = importlib.util.module_from_spec(spec)
spec.loader.exec_module(here)
with open(sys.argv[1] + "/model.pkl", "rb") as file:
    integers, pictures = here.read(*pickle.load(file))
np.savez(sys.argv[1] + "/read.npz", integers=integers, pictures=pictures)
print(here._entropy.constriction is None)
"""


def test_fresh_process(model, streams, expected, tmp_path):
    n, hidden = "2", "constriction"
    (tmp_path / "model.pkl").write_bytes(pickle.dumps((model, streams)))
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path), n, hidden, __file__],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": n},
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "True"
    with np.load(tmp_path / "read.npz") as read:
        assert_same((read["integers"], read["pictures"]), expected)


def numbers_for(codec, seeds, quality):
    """Return the numbers of tables, for images of random integers."""
    randoms, all_numbers = [np.random.default_rng(seed) for seed in seeds], []

    def code(channels, squares, means, numbers):
        all_numbers.append(numbers)
        integers = [random.laplace(scale=3, size=numbers.shape[1:]) for random in randoms]
        return torch.from_numpy(np.stack(integers)).long()

    with torch.inference_mode():
        codec._walk((len(seeds), 8, 8, codec.network.n_components), quality, code)
    return all_numbers


@pytest.mark.parametrize("quality", [0, 57, N_NUMBERS - 1])
def test_batches_of_one_and_of_eight(model, quality):
    singles = [numbers_for(model._codec, [seed], quality) for seed in range(8)]
    for seeds in ([0] * 8, range(8)):
        together = numbers_for(model._codec, seeds, quality)
        for part, numbers in enumerate(together):
            expected = torch.cat([singles[seed][part] for seed in seeds])
            torch.testing.assert_close(numbers, expected, rtol=0, atol=0)


def test_decoding_eight_equal_images(of_digits):
    X = np.repeat(load_digits().images[:3] * 15.9, 8, 0).astype(np.uint8)
    stream = of_digits.compress_dataset(X)
    decoded = of_digits.decompress_dataset(stream)
    singles = np.concatenate([of_digits.decompress([s]) for s in of_digits.compress(X)])
    assert np.abs(decoded.astype(int) - singles).max() <= 1
    np.testing.assert_array_equal(decoded, decoded[::8].repeat(8, 0))


# ------------------------------------------------------------------ why

LARGEST_EXACT = 2**53
LARGEST_SYMBOL = 2**31 - 1
LARGEST_LOG = 128


def test_logarithm_is_exact():
    sums = torch.arange(2**16, dtype=torch.float64)
    # (1 + sum) ** 8 lies between 2 ** log and 2 ** (log + 1).
    exact = [((1 + n) ** 8).bit_length() - 1 for n in range(2**16)]
    assert whole_log(sums).tolist() == exact
    assert exact[-1] == LARGEST_LOG
    assert whole_log(torch.tensor([2.0**60])).item() == LARGEST_LOG


def test_weights_and_sums_are_whole_numbers_that_float64_holds(of_digits):
    codec = of_digits._codec
    weights = codec.weights
    assert weights.dtype == torch.float64
    torch.testing.assert_close(weights, weights.round(), rtol=0, atol=0)
    assert weights.abs().max() < 2**31
    torch.testing.assert_close(
        torch.from_numpy(codec.tables.weights.astype(float)), weights, rtol=0, atol=0
    )
    # Interpolated between levels, times the largest features: 1, eight or nine logarithms, its own.
    largest = torch.tensor([1.0, *[LARGEST_LOG] * 9], dtype=torch.float64)
    for quality in range(N_NUMBERS):
        low = min(quality // N_PER_LEVEL, N_LEVELS - 2)
        part = quality - low * N_PER_LEVEL
        both = weights[low].abs() * (N_PER_LEVEL - part) + weights[low + 1].abs() * part
        assert (both @ largest).max() < LARGEST_EXACT
    # Sums of magnitudes over all channels of nine squares.
    assert 9 * codec.network.n_components * LARGEST_SYMBOL < LARGEST_EXACT


def test_weights_of_any_model_are_small_enough():
    largest_weight = 2**31  # they are stored in 32 bits
    assert 10 * largest_weight * N_PER_LEVEL * LARGEST_LOG < LARGEST_EXACT


@pytest.mark.parametrize("quality", [0, 5, 57, N_NUMBERS - 1])
def test_tables_are_those_of_integer_arithmetic(of_digits, quality):
    codec, expected = of_digits._codec, []
    contexts = codec.network.contexts
    random = np.random.default_rng(quality)

    def log_scale(weights, evidence):
        shared, own = evidence.shared, evidence.own
        S = shared.long().numpy()
        W = (weights * 2**16).long().numpy()
        sums = S @ W[:, : S.shape[-1]].T
        if own is not None:
            sums = sums + own.long().numpy() * W[:, -1]
        expected.append(np.clip(sums >> 16, 0, 63))
        return type(contexts).log_scale(contexts, weights, evidence)

    def code(channels, squares, means, numbers):
        np.testing.assert_array_equal(numbers, expected[-1])
        magnitude = 2 ** random.integers(0, 32, numbers.shape)
        return torch.from_numpy(random.choice([-1, 0, 1], numbers.shape) * (magnitude - 1))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contexts, "log_scale", log_scale)
        codec._walk((3, 5, 4, 16), quality, code)
    # Of their nine passes, six hold squares of this grid.
    assert len(expected) == 5 * 6 + 4 * 2
    assert len(np.unique(np.concatenate([e.ravel() for e in expected]))) > 10


@pytest.mark.parametrize("quality", [0, 57, N_NUMBERS - 1])
def test_sums_of_wide_contexts_are_those_of_integer_arithmetic(model, quality):
    codec, random, kinds = model._codec, np.random.default_rng(quality), []

    def checked(parts, weights):
        X, products = torch.cat(parts).movedim(0, -1), linear(parts, weights)
        units = (1, 2**10) if torch.equal(X, X.round()) and X.numel() else (2**6, 2**16)
        if X.numel() and (units[0] == 1 or weights.dtype == torch.float64):
            whole = [
                (x.double() * unit).long() for x, unit in zip((X, weights), units, strict=True)
            ]
            for x, unit, exact in zip((X, weights), units, whole, strict=True):
                assert torch.equal(exact.double() / unit, x.double())
            expected = (whole[0].flatten(0, 1) @ whole[1]).double() / (units[0] * units[1])
            assert torch.equal(products.double().flatten(0, 1), expected)
            kinds.append((weights.dtype, units))
        return products

    def code(channels, squares, means, numbers):
        magnitude = 2 ** random.integers(0, 32, numbers.shape)
        return torch.from_numpy(random.choice([-1, 0, 1], numbers.shape) * (magnitude - 1))

    linear = _wide_contexts._linear
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_wide_contexts, "_linear", checked)
        codec._walk((2, 5, 4, 48), quality, code)
    assert {(torch.float32, (1, 2**10)), (torch.float64, (2**6, 2**16))} <= set(kinds)


@pytest.mark.parametrize("name", ["model", "of_digits"])
def test_both_coders_have_the_same_tables(name, request):
    pytest.importorskip("constriction")
    for table in request.getfixturevalue(name)._codec._tables:
        positions = np.arange(len(table.frequencies), dtype=np.int32)
        slow, fast = _entropy._Stack(), _entropy.constriction.stream.stack.AnsCoder()
        slow.encode_reverse(positions, table)
        fast.encode_reverse(positions, table.model)
        np.testing.assert_array_equal(slow.get_compressed(), fast.get_compressed())
