"""A classifier of small pictures with numpy alone: histograms of oriented gradients (Dalal and Triggs, CVPR 2005) and
colours, kernel ridge regression with a Gaussian kernel. It judges pictures of a generator, so it is independent of
Equipoise."""
import numpy as np

CELL, BINS = 8, 9


def _normalised(blocks):
    return blocks / np.sqrt((blocks ** 2).sum(-1, keepdims=True) + 1e-2)


def features(pictures):
    """uint8 [N, side, side, 3] -> float32 [N, D]."""
    parts = []
    for begin in range(0, len(pictures), 256):
        x = pictures[begin:begin + 256].astype(np.float32) / 255
        grey = x @ np.float32([0.299, 0.587, 0.114])
        dy, dx = np.gradient(grey, axis=(1, 2))
        strength, angle = np.hypot(dx, dy), np.arctan2(dy, dx) % np.pi
        place = angle / np.pi * BINS
        low = np.floor(place).astype(int) % BINS
        share = place - np.floor(place)
        n, side = len(x), x.shape[1]
        cells = side // CELL
        histogram = np.zeros((n, cells, cells, BINS), np.float32)
        for bin_, weight in ((low, 1 - share), ((low + 1) % BINS, share)):
            for b in range(BINS):
                votes = (strength * weight * (bin_ == b)).reshape(n, cells, CELL, cells, CELL)
                histogram[..., b] += votes.sum((2, 4))
        blocks = np.concatenate([histogram[:, i:cells - 1 + i, j:cells - 1 + j] for i in (0, 1) for j in (0, 1)], -1)
        colours = x.reshape(n, 4, side // 4, 4, side // 4, 3).mean((2, 4)).reshape(n, -1)
        parts.append(np.concatenate([_normalised(blocks).reshape(n, -1), colours - colours.mean(1, keepdims=True)], 1))
    return np.concatenate(parts).astype(np.float32)


def _squared_distances(a, b):
    return np.maximum((a ** 2).sum(1)[:, None] + (b ** 2).sum(1) - 2 * a @ b.T, 0)


class Classifier:
    def __init__(self, pictures, labels, ridge=1e-2):
        self.seen = features(pictures)
        distances = _squared_distances(self.seen, self.seen)
        self.width = np.median(distances) / 2
        kernel = np.exp(-distances / self.width)
        targets = np.eye(labels.max() + 1)[labels]
        # Every class has the same weight, whatever its number of pictures.
        weight = 1 / np.bincount(labels)[labels]
        weight *= len(labels) / weight.sum()
        self.mean = targets.mean(0)
        self.dual = np.linalg.solve(kernel + np.diag(ridge / weight), targets - self.mean)

    def __call__(self, pictures):
        kernel = np.exp(-_squared_distances(features(pictures), self.seen) / self.width)
        return (kernel @ self.dual + self.mean).argmax(1)


def diversity(pictures, most=200):
    """The mean distance of pairs, on 8x8 pixels in [-1, 1], like class_diversity in stats.jsonl."""
    x = pictures[:most].astype(np.float64) / 127.5 - 1
    side = x.shape[1] // 8
    x = x.reshape(len(x), 8, side, 8, side, 3).mean((2, 4)).reshape(len(x), -1)
    distances = np.sqrt(_squared_distances(x - x.mean(0), x - x.mean(0)) / x.shape[1])
    return distances.sum() / (len(x) * (len(x) - 1))
