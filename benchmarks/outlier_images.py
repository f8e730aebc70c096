"""On images with one class as normal, a convolutional detector finds the others.

Fashion-MNIST, 28 x 28 pixels in [0, 1]: for some classes, the detector is fitted to 2,000 training
images of the class and scores 1,000 test images of all ten. Area under the ROC curve of
AutoencoderOutlierDetector with its default model, with a convolutional autoencoder, and of
IsolationForest.

data: Debian package dataset-fashion-mnist.
"""

import argparse
import time

import numpy as np
import torch
from _data import LOADERS
from _report import write_table
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score

from skae import Autoencoder, AutoencoderOutlierDetector

N_TRAIN, N_TEST = 2000, 1000


def conv() -> AutoencoderOutlierDetector:
    model = Autoencoder(16, module="conv", module__image_shape=(1, 28, 28), max_epochs=10)
    return AutoencoderOutlierDetector(model, n_estimators=1, random_state=0)


DETECTORS = {
    "AutoencoderOutlierDetector()": lambda: AutoencoderOutlierDetector(random_state=0),
    "AutoencoderOutlierDetector(conv)": conv,
    "IsolationForest": lambda: IsolationForest(random_state=0),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--classes", type=int, nargs="+", default=[1, 4, 7])
    args = parser.parse_args()
    torch.set_num_threads(1)
    data = LOADERS["fashion_mnist"]()
    X_test, y_test = data.X_test[:N_TEST], data.y_test[:N_TEST]
    rows = []
    for label in args.classes:
        X = data.X_train[data.y_train == label][:N_TRAIN]
        for name, make in DETECTORS.items():
            start = time.process_time()
            detector = make().fit(X)
            seconds = time.process_time() - start
            score = -detector.score_samples(X_test)
            area = float(roc_auc_score(np.asarray(y_test) != label, score))
            rows.append({"normal": label, "detector": name, "auroc": area, "fit_seconds": seconds})
    write_table("outlier_images", rows)


if __name__ == "__main__":
    main()
