import numpy as np
import pytest
import torch
from scipy import sparse

from skae.training import ArrayRows, PairedRows, SparseRows
from skae.training._batch_iterator import BatchIterator

CPU = torch.device("cpu")


@pytest.fixture
def X():
    return np.arange(30.0).reshape(10, 3)


def memory_mapped(X, path):
    np.save(path, X)
    return np.load(path, mmap_mode="r")


def rows_of(X, dtype=torch.float64):
    return ArrayRows(X, dtype, CPU)


# ---------------------------------------------------------------- rows


@pytest.mark.parametrize("container", [np.asarray, np.asfortranarray, sparse.csr_array])
@pytest.mark.parametrize("wanted", [slice(2, 5), torch.tensor([7, 0, 7])])
def test_rows_are_those_asked_for(container, wanted, X):
    taken = rows_of(container(X)).batch(wanted).input

    torch.testing.assert_close(taken, torch.from_numpy(X)[wanted])


@pytest.mark.parametrize("wanted", [slice(2, 5), torch.tensor([7, 0, 7])])
def test_rows_of_a_memory_map_are_those_asked_for(wanted, X, tmp_path):
    taken = rows_of(memory_mapped(X, tmp_path / "X.npy")).batch(wanted).input

    torch.testing.assert_close(taken, torch.from_numpy(X)[wanted])


def test_rows_have_the_wanted_dtype(X):
    assert rows_of(X, torch.float32).batch(slice(None)).input.dtype == torch.float32


def test_array_is_shared_where_possible(X):
    rows = rows_of(X)

    X[2, 1] = -1

    assert rows.batch(torch.tensor([2])).input[0, 1] == -1


@pytest.mark.parametrize("change", [lambda X: X[::-1], lambda X: X[:, ::2], np.asfortranarray])
def test_awkward_layouts(change, X):
    torch.testing.assert_close(
        rows_of(change(X)).batch(slice(None)).input,
        torch.from_numpy(np.array(change(X), order="C")),
    )


@pytest.mark.parametrize("change", [lambda X: X[::-1], lambda X: X[:, ::2], np.asfortranarray])
@pytest.mark.parametrize("wanted", [slice(2, 5), torch.tensor([7, 0, 7])])
def test_rows_that_are_not_held_are_the_same(wanted, change, X):
    taken = ArrayRows(change(X), torch.float32, CPU, held=False).batch(wanted).input

    assert taken.is_contiguous()
    torch.testing.assert_close(taken, rows_of(change(X), torch.float32).batch(wanted).input)


def test_rows_that_are_not_held_are_copies(X):
    ArrayRows(X, torch.float64, CPU, held=False).batch(slice(None)).input[0] = -1

    assert X[0, 0] == 0


def test_read_only_array_is_copied(X):
    X.flags.writeable = False

    taken = rows_of(X).batch(slice(None)).input
    taken[0] = -1

    assert X[0, 0] == 0


def test_taken_rows_of_a_memory_map_can_be_written_to(X, tmp_path):
    mapped = memory_mapped(X, tmp_path / "X.npy")

    rows_of(mapped).batch(slice(0, 2)).input.fill_(-1)

    np.testing.assert_array_equal(mapped, X)


@pytest.mark.parametrize("view", [lambda X: X, np.asarray, lambda X: X[2:]])
def test_memory_map_is_never_loaded_whole(view, X, tmp_path):
    rows = rows_of(view(memory_mapped(X, tmp_path / "X.npy")))

    assert not isinstance(rows._X, torch.Tensor)


def test_memory_map_is_read_in_batches(tmp_path, monkeypatch):
    class Counting(np.memmap):
        largest = 0

        def __getitem__(self, index):
            part = super().__getitem__(index)
            Counting.largest = max(Counting.largest, np.size(part))
            return part

    X = memory_mapped(np.zeros((100, 3)), tmp_path / "X.npy").view(Counting)

    batches = list(BatchIterator(rows_of(X), 8, shuffle=True, generator=torch.Generator()))

    assert len(batches) == 13
    assert Counting.largest <= 8 * 3


def test_sparse_rows_are_never_dense_as_a_whole(X):
    assert sparse.issparse(rows_of(sparse.csr_array(X))._X)


def test_subset(X):
    subset = rows_of(X).subset(torch.tensor([8, 3, 5]))

    assert len(subset) == 3
    torch.testing.assert_close(subset.batch(slice(1, 3)).input, torch.from_numpy(X[[3, 5]]))
    torch.testing.assert_close(
        subset.batch(torch.tensor([2, 0])).input, torch.from_numpy(X[[5, 8]])
    )


def test_subset_of_a_subset(X):
    subset = rows_of(X).subset(torch.tensor([8, 3, 5])).subset(torch.tensor([2, 0]))

    torch.testing.assert_close(subset.batch(slice(None)).input, torch.from_numpy(X[[5, 8]]))


def test_item_is_input_and_target(X):
    x, target = rows_of(X)[4]

    torch.testing.assert_close(x, torch.from_numpy(X[4]))
    assert target is x


def test_batches_cover_all_rows_in_their_order(X):
    batches = list(rows_of(X).batches(4))

    assert [len(batch) for batch in batches] == [4, 4, 2]
    torch.testing.assert_close(torch.cat([b.input for b in batches]), torch.from_numpy(X))


def test_padding_repeats_the_last_row(X):
    rows = rows_of(X)

    padded = rows.batch(slice(0, 5)).padded(4)

    assert len(padded) == 8
    assert padded.target is padded.input
    torch.testing.assert_close(padded.input, torch.from_numpy(X[[0, 1, 2, 3, 4, 4, 4, 4]]))


# ---------------------------------------------------------------- sparse and paired rows


@pytest.fixture
def csr(X):
    return sparse.csr_array(np.where(X % 3 == 0, X, 0))


@pytest.mark.parametrize("wanted", [slice(2, 5), torch.tensor([7, 0, 7])])
def test_sparse_rows_stay_sparse(wanted, csr):
    batch = SparseRows(csr, torch.float32, CPU).batch(wanted)

    assert batch.input.layout == torch.sparse_csr
    assert batch.target is batch.input
    dense = torch.from_numpy(csr.toarray())[wanted].float()
    torch.testing.assert_close(batch.input.to_dense(), dense)


def test_subset_of_sparse_rows(csr):
    subset = SparseRows(csr, torch.float64, CPU).subset(torch.tensor([8, 3]))

    actual = subset.batch(slice(None)).input.to_dense()
    torch.testing.assert_close(actual, torch.from_numpy(csr.toarray()[[8, 3]]))


def test_padding_of_sparse_rows_is_empty(csr):
    rows = SparseRows(csr, torch.float64, CPU)

    padded = rows.batch(slice(0, 5)).padded(4)

    assert padded.input.layout == torch.sparse_csr
    expected = np.concatenate([csr.toarray()[:5], np.zeros((3, 3))])
    torch.testing.assert_close(padded.input.to_dense(), torch.from_numpy(expected))


def test_pairs_have_inputs_and_targets(X):
    rows = PairedRows(rows_of(X), rows_of(-2 * X[:, :2])).subset(torch.tensor([4, 1, 6]))

    x, target = rows.batch(slice(1, 3)).padded(4)

    torch.testing.assert_close(x, torch.from_numpy(X[[1, 6, 6, 6]]))
    torch.testing.assert_close(target, torch.from_numpy(-2 * X[[1, 6, 6, 6], :2]))


def test_padding_of_pairs_with_sparse_inputs(csr, X):
    rows = PairedRows(SparseRows(csr, torch.float64, CPU), rows_of(X))

    padded = rows.batch(slice(0, 5)).padded(4)

    assert padded.input.shape == padded.target.shape == (8, 3)
    assert padded.input.layout == torch.sparse_csr


# ---------------------------------------------------------------- batches


def sizes(n, batch_size, **params):
    return [len(x) for x, _ in BatchIterator(rows_of(np.zeros((n, 1))), batch_size, **params)]


@pytest.mark.parametrize(
    ("n", "batch_size", "expected"),
    [
        (10, 4, [4, 4, 2]),
        (8, 4, [4, 4]),
        (9, 4, [4, 5]),  # a single row joins the batch before it
        (3, 4, [3]),
        (1, 4, [1]),
        (3, 1, [1, 1, 1]),
        (5, 4, [5]),
    ],
)
def test_sizes(n, batch_size, expected):
    assert sizes(n, batch_size) == expected


@pytest.mark.parametrize("n", range(1, 14))
@pytest.mark.parametrize("batch_size", range(1, 6))
def test_length_is_the_number_of_batches(n, batch_size):
    iterator = BatchIterator(rows_of(np.zeros((n, 1))), batch_size)

    assert len(iterator) == len(list(iterator))


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("shuffle", [False, True])
def test_every_row_comes_once(container, shuffle, X):
    iterator = BatchIterator(
        rows_of(container(X)), 4, shuffle=shuffle, generator=torch.Generator().manual_seed(0)
    )

    seen = torch.cat([x for x, _ in iterator])[:, 0].tolist()

    assert sorted(seen) == X[:, 0].tolist()
    assert (seen == X[:, 0].tolist()) != shuffle


def test_every_pass_has_an_order_of_its_own(X):
    iterator = BatchIterator(rows_of(X), 4, shuffle=True, generator=torch.Generator())

    first, second = (torch.cat([x for x, _ in iterator]) for _ in range(2))

    assert not torch.equal(first, second)


def test_generator_decides_on_the_order(X):
    orders = [
        torch.cat([x for x, _ in BatchIterator(rows_of(X), 4, shuffle=True, generator=generator)])
        for generator in (torch.Generator().manual_seed(1), torch.Generator().manual_seed(1))
    ]

    assert torch.equal(*orders)


def test_input_is_target(X):
    assert all(x is target for x, target in BatchIterator(rows_of(X), 4))


@pytest.mark.parametrize("n", [16, 17, 19, 23])
def test_shards_part_every_batch(n):
    rows = rows_of(np.arange(float(n))[:, None])
    shards = [list(BatchIterator(rows, 8, shard=(rank, 3))) for rank in range(3)]

    for parts in zip(*shards, strict=True):
        assert min(len(x) for x, _ in parts) >= 2
    seen = torch.cat([x for shard in shards for x, _ in shard])
    assert sorted(seen[:, 0].tolist()) == list(range(n))
