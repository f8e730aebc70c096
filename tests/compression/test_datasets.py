"""Data sets of any size: chunks of any size, and a reader that decodes what is asked for."""

import mmap
import pickle
import tracemalloc

import numpy as np
import pytest
from sklearn.datasets import load_digits

from skae.coding import CODED, pack, unpack
from skae.compression import BitstreamError, CompressedDataset, ImageCompressor, inspect_stream
from skae.compression._image_streams import ImageHeader
from skae.metrics import psnr

N_IMAGES = 100


@pytest.fixture(scope="module")
def digits():
    return (load_digits().images * 15.9).astype(np.uint8)


@pytest.fixture(scope="module")
def model(digits):
    return ImageCompressor(patch_shape=(4, 4), max_epochs=0, random_state=0).fit(digits[:300])


@pytest.fixture(scope="module")
def stream(model, digits):
    return model.compress_dataset(digits[600 : 600 + N_IMAGES], chunk_size=8)


@pytest.fixture(scope="module")
def decoded(model, stream):
    return model.decompress_dataset(stream)


@pytest.fixture
def dataset(model, stream):
    return model.open_dataset(stream)


@pytest.fixture
def n_decoded(model, monkeypatch):
    """How many chunks were decoded since the test began, as a list of ones."""
    calls = []
    decode = model._codec.decode
    monkeypatch.setattr(model._codec, "decode", lambda *args: calls.append(1) or decode(*args))
    return calls


@pytest.mark.parametrize(("chunk_size", "n_chunks"), [(1, 100), (7, 15), (1000, 1), (None, 1)])
def test_chunk_size(model, digits, chunk_size, n_chunks):
    X = digits[600 : 600 + N_IMAGES]
    stream = model.compress_dataset(X, chunk_size=chunk_size)
    assert inspect_stream(stream)["n_chunks"] == n_chunks
    assert psnr(X, model.decompress_dataset(stream)) > 28


@pytest.mark.parametrize("chunk_size", [0, -1, 2.5, "auto"])
def test_bad_chunk_size(model, digits, chunk_size):
    with pytest.raises(ValueError, match=f"chunk_size={chunk_size!r} must be a positive whole num"):
        model.compress_dataset(digits[:2], chunk_size=chunk_size)


def test_few_images_cost_a_part_of_all(dataset, decoded, n_decoded):
    np.testing.assert_array_equal(dataset[[3, 99, 5]], decoded[[3, 99, 5]])
    assert len(n_decoded) == 2


@pytest.mark.parametrize(
    "indices",
    [
        7,
        -1,
        np.int64(3),
        slice(5, 20),
        slice(None, None, -30),
        slice(50, 40),
        [],
        [4, 4, -100],
        np.array([99, 0], np.uint8),
        np.arange(N_IMAGES) % 40 == 3,
    ],
    ids=str,
)
def test_it_is_indexed_like_an_array(dataset, decoded, indices):
    np.testing.assert_array_equal(dataset[indices], decoded[indices])


@pytest.mark.parametrize(
    ("indices", "message"),
    [
        (100, "indices=100 go beyond the 100 signals"),
        ([0, -101], "go beyond"),
        (1.0, "must be whole numbers, a slice, or 100 of True and False"),
        ([True, False], "must be whole numbers"),
        ("first", "must be whole numbers"),
        ((0, 1), None),
    ],
)
def test_what_is_no_index(dataset, decoded, indices, message):
    if message is None:  # a tuple counts signals, as a list does
        np.testing.assert_array_equal(dataset[indices], decoded[list(indices)])
        return
    with pytest.raises(IndexError, match=message):
        dataset[indices]


def test_a_loop_decodes_each_chunk_once(dataset, decoded, n_decoded):
    np.testing.assert_array_equal(np.stack(list(dataset)), decoded)
    assert len(n_decoded) == 13


def test_what_it_tells_of_itself(dataset):
    assert isinstance(dataset, CompressedDataset)
    assert len(dataset) == 100
    assert dataset.shape == (100, 8, 8, 1)
    assert dataset.dtype == np.uint8
    assert dataset.chunk_size == 8
    assert repr(dataset) == "CompressedDataset(100 of 8 x 8 x 1, uint8)"


def test_every_kind_of_source(model, stream, decoded, tmp_path):
    path = tmp_path / "digits.skae"
    path.write_bytes(stream)
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    array = np.memmap(path, mode="r")
    for source in (path, str(path), bytearray(stream), memoryview(stream), mapped, array):
        np.testing.assert_array_equal(model.open_dataset(source)[[98, 1]], decoded[[98, 1]])
    twin = pickle.loads(pickle.dumps(model.open_dataset(path)))
    np.testing.assert_array_equal(twin[50], decoded[50])
    (tmp_path / "empty").touch()
    for source in (tmp_path / "empty", b"", stream[:-1], stream + stream):
        with pytest.raises(BitstreamError):
            model.open_dataset(source)
    with pytest.raises(TypeError, match="a stream must be bytes, got list"):
        model.open_dataset([stream])


def test_it_checks_the_chunks_that_it_reads(model, stream, decoded):
    damaged = bytearray(stream)
    damaged[-6] ^= 1
    dataset = model.open_dataset(damaged)
    np.testing.assert_array_equal(dataset[:90], decoded[:90])
    with pytest.raises(BitstreamError, match=r"^chunk 12 of 13 is damaged"):
        dataset[99]
    with pytest.raises(BitstreamError, match="chunk 12 of 13 is damaged"):
        model.decompress_dataset(damaged, 0)


def test_pixels_that_are_stored(model):
    noise = np.random.default_rng(0).integers(0, 256, (5, 3, 9), dtype=np.uint8)
    dataset = model.open_dataset(model.compress_dataset(noise, quality=100))
    np.testing.assert_array_equal(dataset[[4, 1]], noise[[4, 1]])


# ------------------------------------------------------------------ how much is allocated


def test_the_limit_is_that_of_the_result(model, stream, decoded):
    image = decoded[0].nbytes
    assert len(model.decompress_dataset(stream, [5, 6], max_values=2 * image)) == 2
    assert len(model.open_dataset(stream, max_values=2 * image)[:2]) == 2
    for read in (
        lambda: model.decompress_dataset(stream, [5, 6, 7], max_values=2 * image),
        lambda: model.open_dataset(stream, max_values=2 * image)[:3],
        lambda: model.decompress([stream], max_values=99 * image),
    ):
        with pytest.raises(BitstreamError, match="bytes, more than max_values="):
            read()


def test_the_limit_counts_bytes_of_all_streams(model, digits):
    streams = model.compress(digits[:3])
    assert len(model.decompress(streams, max_values=3 * 64)) == 3
    with pytest.raises(BitstreamError, match="the result has 192 bytes, more than max_values=191"):
        model.decompress(streams, max_values=191)
    X = digits[:60].astype(np.float64)
    of_floats = ImageCompressor(module="mlp", max_epochs=0).fit(X)
    with pytest.raises(BitstreamError, match="the result has 512 bytes"):
        of_floats.decompress(of_floats.compress(X[:1]), max_values=64)


@pytest.mark.parametrize("indices", [None, slice(None), slice(None, None, 2), [0], 2**19])
def test_short_streams_that_claim_many_images(model, indices):
    """Nothing is allocated for what they claim: here, 2 ** 20 images in 40 kilobytes."""
    header = ImageHeader(CODED, "uint8", model.fingerprint_, 2**20, 8, 8, 1, 256, 512)
    bomb = pack(header, [b"\0\0"] * header.n_chunks)
    tracemalloc.start()
    if isinstance(indices, slice | None):
        with pytest.raises(BitstreamError, match="more than max_values=1048576"):
            model.decompress_dataset(bomb, indices, max_values=2**20)
    else:
        assert model.decompress_dataset(bomb, indices, max_values=2**20).shape == (1, 8, 8)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20


# ------------------------------------------------------------------ one check for all


@pytest.mark.parametrize(
    "changes", [{"number": 113}, {"n_together": 9}, {"n_together": 257}, {"height": 2**40}]
)
def test_what_no_model_reads_is_not_inspected_either(model, stream, changes):
    header, chunks = unpack(stream, ImageHeader)
    fields = {**vars(header), "n_images": 8, "n_together": 8, **changes}
    forged = pack(ImageHeader(**fields), chunks[:1])
    messages = []
    for read in (inspect_stream, model.open_dataset, model.decompress_dataset):
        with pytest.raises(BitstreamError) as error:
            read(forged)
        messages.append(str(error.value))
    assert len(set(messages)) == 1


@pytest.mark.parametrize("n_bytes", [0, 63, 65])
def test_raw_data_of_wrong_length_are_not_inspected_either(model, n_bytes):
    raw = pack(ImageHeader(0, "uint8", model.fingerprint_, 1, 8, 8, 1), [bytes(n_bytes)])
    for read in (inspect_stream, model.open_dataset, model.decompress_dataset):
        with pytest.raises(BitstreamError, match=f"{n_bytes} bytes of raw data, but 64 values"):
            read(raw)
