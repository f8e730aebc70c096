import numpy as np
import pytest

from skae.inspection import SpectrogramDisplay

RATE = 8000


@pytest.fixture
def tone():
    """Return half a second of a tone of 1 kHz, at -6 dB of full scale, and faint noise."""
    time = np.arange(RATE // 2) / RATE
    noise = np.random.default_rng(0).normal(scale=1e-3, size=len(time))
    return 0.5 * np.sin(2 * np.pi * 1000 * time) + noise


def level_at(display, hertz):
    """Return levels of both recordings at a frequency, in the middle of the time."""
    n_frequencies, n_frames = display.levels_.shape[1:]
    row = round(hertz / (display.sample_rate / 2) * (n_frequencies - 1))
    return display.levels_[:, row, n_frames // 2]


def test_levels_are_those_of_the_tone(tone):
    display = SpectrogramDisplay.from_predictions(tone, tone / 10, RATE)
    middle = display.levels_[0, :, display.levels_.shape[2] // 2]

    assert np.argmax(middle) / (len(middle) - 1) * RATE / 2 == 1000
    np.testing.assert_allclose(level_at(display, 1000), [-12, -32], atol=0.1)


def test_difference_is_cut_at_the_dynamic_range(tone):
    display = SpectrogramDisplay.from_predictions(tone, 0 * tone, RATE, dynamic_range=25)
    loss = display.images_[2].get_array()
    column = loss[:, loss.shape[1] // 2]

    assert column.min() == pytest.approx(-25, abs=0.5)
    assert column[-1] == 0
    np.testing.assert_array_equal(display.images_[0].get_array(), display.levels_[0])


def test_whole_numbers_and_channels(tone):
    whole = np.round(tone * 2**15).astype(np.int16)
    display, stereo, half = (
        SpectrogramDisplay(x, x, RATE).plot()
        for x in (tone, np.stack([whole, whole], axis=1), np.stack([tone, 0 * tone], axis=1))
    )

    assert level_at(stereo, 1000)[0] == pytest.approx(level_at(display, 1000)[0], abs=0.01)
    assert level_at(half, 1000)[0] == pytest.approx(level_at(display, 1000)[0] - 3.01, abs=0.01)


def test_codec_at_a_quality(tone, quantizer):
    whole = np.round(tone * 100 + 128).astype(np.int16)
    display = SpectrogramDisplay.from_estimator(quantizer, whole, RATE, quality=3)
    stream = quantizer.compress([whole], 3)[0]

    assert [panel.get_title(loc="left") for panel in display.axes_] == [
        "original",
        f"quality 3, {8 * len(stream) / 500:#.3g} kbit/s",
        "decoded less original",
    ]
    np.testing.assert_array_equal(display.decoded, quantizer.decompress([stream])[0])


@pytest.mark.parametrize(("rate", "unit", "top"), [(200, "Hz", 100), (48_000, "kHz", 24)])
def test_units_of_the_axes(rate, unit, top):
    x = np.random.default_rng(0).normal(size=3 * rate)
    display = SpectrogramDisplay.from_predictions(x, x, rate, frame_ms=64)

    assert {panel.get_ylabel() for panel in display.axes_} == {unit}
    assert display.images_[0].get_extent() == [0, 3, 0, top]


def test_long_recordings_have_no_more_frames_than_can_be_seen(tone):
    long = np.tile(tone, 400)

    assert SpectrogramDisplay(long, long, RATE).plot().levels_.shape[2] < 1600


def test_style_is_that_of_the_spectrograms(tone):
    display = SpectrogramDisplay.from_predictions(
        tone, tone, RATE, image_kwargs={"cmap": "gray", "vmin": -50}
    )

    assert [image.get_cmap().name for image in display.images_] == ["gray", "gray", "RdBu_r"]
    assert [image.get_clim()[0] for image in display.images_[:2]] == [-50, -50]


def test_bad_recordings(tone):
    with pytest.raises(ValueError, match="recording and decoded must have the same shape"):
        SpectrogramDisplay.from_predictions(tone, tone[1:], RATE)
    with pytest.raises(ValueError, match="recording must not be silent"):
        SpectrogramDisplay.from_predictions(0 * tone, tone, RATE)
    with pytest.raises(ValueError, match="a frame or more, 8000 samples at 8000 Hz"):
        SpectrogramDisplay.from_predictions(tone, tone, RATE, frame_ms=1000)
    with pytest.raises(TypeError, match="must have compress and decompress; object has not"):
        SpectrogramDisplay.from_estimator(object(), tone, RATE, quality=1)
