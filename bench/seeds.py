"""Functions of the benchmarks that compare trainings with several seeds."""
import math
import statistics


def seeds_of(text):
    """The seeds of a flag such as 1-8 or 3."""
    first, _, last = text.partition('-')
    return range(int(first), int(last or first) + 1)


def interval(logs):
    """The geometric mean of ratios from their logarithms, and the ends of its 90 % interval (Student), as ratios."""
    from scipy import stats  # here, because programs that need only the seeds run without it

    mean = statistics.mean(logs)
    half = stats.t.ppf(0.95, len(logs) - 1) * statistics.stdev(logs) / math.sqrt(len(logs))
    return [math.exp(value) for value in (mean, mean - half, mean + half)]
