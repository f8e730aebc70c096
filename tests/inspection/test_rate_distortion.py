import numpy as np
import pytest
from matplotlib.colors import to_hex

from skae.inspection import CompressedImageDisplay, RateDistortionDisplay
from skae.metrics import bits_per_pixel, ms_ssim, psnr


def legend(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


@pytest.mark.parametrize(
    ("metric", "function", "name"),
    [
        ("psnr", psnr, "PSNR [dB]"),
        ("ms_ssim", ms_ssim, "MS-SSIM"),
        (lambda X, Z: float(len(Z)), lambda X, Z: 2.0, "<lambda>"),
    ],
)
def test_points_are_measured(images, quantizer, metric, function, name):
    display = RateDistortionDisplay.from_estimator(
        quantizer, images, qualities=[5, 1, 3], metric=metric
    )
    streams = {quality: quantizer.compress(images, quality) for quality in (1, 3, 5)}
    rates = [bits_per_pixel(each, images) for each in streams.values()]
    quality = [function(images, quantizer.decompress(each)) for each in streams.values()]

    line = display.lines_["Quantizer"]
    np.testing.assert_array_equal(line.get_xdata(), rates)
    np.testing.assert_array_equal(line.get_ydata(), quality)
    assert display.ax_.get_xlabel() == "bits per pixel"
    assert display.ax_.get_ylabel() == name
    assert legend(display) == ["Quantizer"]


def test_two_codecs_on_one_axes(images, quantizer, ax):
    for name in ("first", "second"):
        display = RateDistortionDisplay.from_estimator(
            quantizer, images, qualities=[1, 2], estimator_name=name, ax=ax
        )

    assert legend(display) == ["first", "second"]
    assert len({line.get_color() for line in ax.lines}) == 2
    assert len({line.get_marker() for line in ax.lines}) == 2


def test_given_measurements():
    display = RateDistortionDisplay.from_predictions(
        {"a": [2, 1], "b": [1, 2, 3]},
        {"a": [0.9, 0.8], "b": [0.5, np.inf, 0.7]},
        quality_name="similarity",
        line_kwargs={"ls": ":", "color": "red"},
    )

    assert legend(display) == list(display.lines_) == ["a", "b"]
    assert display.ax_.get_ylabel() == "similarity"
    np.testing.assert_array_equal(display.lines_["a"].get_xydata(), [[1, 0.8], [2, 0.9]])
    np.testing.assert_array_equal(display.lines_["b"].get_ydata(), [0.5, np.nan, 0.7])
    assert {line.get_linestyle() for line in display.lines_.values()} == {":"}
    assert {to_hex(line.get_color()) for line in display.lines_.values()} == {"#ff0000"}


@pytest.mark.parametrize(
    ("rates", "log_scale", "scale"),
    [
        ([0.1, 0.9], "auto", "linear"),
        ([0.1, 1.1], "auto", "log"),
        ([0.1, 1.1], False, "linear"),
        ([0.1, 0.9], True, "log"),
    ],
)
def test_scale_of_bits(rates, log_scale, scale):
    display = RateDistortionDisplay({"a": rates}, {"a": [1, 2]}).plot(log_scale=log_scale)

    assert display.ax_.get_xscale() == scale


@pytest.mark.parametrize(
    ("rates", "quality", "message"),
    [
        ({"a": [1]}, {"b": [1]}, r"of the same codecs, at least one, got \['a'\] and \['b'\]"),
        ({}, {}, r"at least one, got \[\] and \[\]"),
        ({"a": [1, 2]}, {"a": [1]}, r"len\(rates\['a'\]\)=2, len\(quality\['a'\]\)=1"),
        ({"a": [1, 0]}, {"a": [1, 2]}, r"rates\['a'\] must be positive, got 0"),
        ({"a": [1]}, {"a": [np.inf]}, r"quality\['a'\] has no finite value among 1"),
        ({"a": [[1]]}, {"a": [1]}, r"rates\['a'\] must have shape \(n_points,\), got shape \(1, 1"),
    ],
)
def test_bad_measurements(rates, quality, message):
    with pytest.raises(ValueError, match=message):
        RateDistortionDisplay(rates, quality)


def test_unknown_metric(images, quantizer):
    with pytest.raises(ValueError, match=r"one of .* or callable, got 'ssim'"):
        RateDistortionDisplay.from_estimator(quantizer, images, qualities=[1], metric="ssim")


@pytest.mark.parametrize("display", [RateDistortionDisplay, CompressedImageDisplay])
def test_estimator_that_is_no_codec(images, display):
    with pytest.raises(TypeError, match="must have compress and decompress; object has not"):
        display.from_estimator(object(), images[0], qualities=[1])


class HalfOfTheSamples:
    """A codec of sounds that keeps every second sample."""

    def compress(self, X, *, quality):
        return [np.asarray(x, np.int16)[::2].tobytes() for x in X]

    def decompress(self, streams):
        return [np.repeat(np.frombuffer(stream, np.int16), 2) for stream in streams]


def test_sounds_have_a_rate_in_time():
    sounds = [np.arange(1, 1001, dtype=np.int16), np.arange(501, 1501, dtype=np.int16)]

    display = RateDistortionDisplay.from_estimator(
        HalfOfTheSamples(), sounds, qualities=[1, 2], sample_rate=8000
    )

    assert display.ax_.get_xlabel() == "kbit/s"
    assert display.ax_.get_ylabel() == "SI-SDR [dB]"
    [(name, rates)] = display.rates.items()
    assert name == "HalfOfTheSamples"
    np.testing.assert_allclose(rates, 64)
    assert all(quality > 40 for quality in display.quality[name])


def test_a_sample_rate_is_positive():
    with pytest.raises(ValueError, match="sample_rate=0 must be positive"):
        RateDistortionDisplay.from_estimator(
            HalfOfTheSamples(), [np.ones(4)], qualities=[1], sample_rate=0
        )
