#!/usr/bin/env python3
"""Draws one fault of study.py: the run without actions beside the one with them, over the same steps.

    pip install matplotlib
    python bench/balance/plot.py FOLDER FAULT SEED OUT.png     # FOLDER: --out of study.py
"""
import pathlib
import sys

import matplotlib
from study import folder_of, stats

matplotlib.use('Agg')
import matplotlib.pyplot as plt  # noqa: E402

COLOURS = {'balanced': '#7fb77e', 'discriminator_ahead': '#e08e45', 'generator_ahead': '#5b8db8',
           'mode_collapse': '#8e5ea2', 'diverged': '#c0392b'}


def smoothed(values, steps=20):
    out, value = [], None
    for new in values:
        value = new if value is None else value + (new - value) / steps
        out.append(value)
    return out


def curve(axis, lines, name, label, **style):
    lines = [line for line in lines if line.get(name) is not None]
    axis.plot([line['step'] for line in lines], smoothed([line[name] for line in lines]), label=label, **style)


def strip(axis, lines):
    """The verdict of every step as a colour, and a mark with its name for every intervention."""
    for line in lines:
        axis.axvspan(line['step'] - 1, line['step'], color=COLOURS[line['verdict']], lw=0)
        for action in line['actions']:
            axis.axvline(line['step'], color='black', lw=1)
            axis.text(line['step'], 0.5, action.replace('_', ' '), rotation=90, fontsize=6, va='center', ha='right')
    axis.set_yticks([])


def main():
    folder, fault, seed, out = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
    runs = {'off': stats(folder_of(folder, fault, 'watch', seed)), 'act': stats(folder_of(folder, fault, 'act', seed))}
    figure, axes = plt.subplots(6, 2, sharex=True, sharey='row', figsize=(11, 9),
                                gridspec_kw={'height_ratios': [3, 3, 3, 3, 3, 2]})
    for column, (mode, lines) in enumerate(runs.items()):
        loss, auc, diversity, rates, swd, verdict = axes[:, column]
        loss.set_title(f'{fault}, seed {seed}: --balance {mode}', fontsize=10)
        curve(loss, lines, 'loss_d', 'loss of D')
        curve(loss, lines, 'loss_g', 'loss of G')
        curve(auc, lines, 'd_auc', 'AUC of D')
        auc.axhspan(0.6, 0.98, color='#e8f3e8')
        curve(diversity, lines, 'diversity', 'diversity of fakes')
        curve(diversity, lines, 'diversity_reference', 'of reals', ls=':')
        for network in 'dg':
            rates.semilogy([line['step'] for line in lines], [line[f'lr_{network}'] for line in lines], drawstyle='steps-post',
                           label=f"rate of {network.upper()}")
        measured = [line for line in lines if 'quality_swd' in line]
        swd.plot([line['quality_step'] for line in measured], [line['quality_swd'] for line in measured], 'o-', label='SWD to the holdout')
        for axis in (loss, auc, diversity, rates, swd):
            axis.legend(fontsize=7)
            axis.tick_params(labelsize=7)
        strip(verdict, lines)
        verdict.set_xlabel('step', fontsize=8)
    handles = [plt.Rectangle((0, 0), 1, 1, color=colour) for colour in COLOURS.values()]
    figure.legend(handles, [name.replace('_', ' ') for name in COLOURS], loc='lower center', ncol=5, fontsize=8)
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    figure.savefig(out, dpi=100)


if __name__ == '__main__':
    main()
