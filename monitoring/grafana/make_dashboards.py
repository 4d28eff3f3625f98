#!/usr/bin/env python3
"""Writes the three dashboards beside itself from the short description below: make_dashboards.py [FOLDER].

A test compares the committed files with the output of this script, so edit here, run it, and commit both. `%` in a
query is replaced by the variables job, instance and run, `@` by these and rank. A panel is (type, title, unit,
description, queries) with queries as (expression, legend); further properties follow as keywords.
"""
import json
import pathlib
import sys

JOB = 'job=~"$job",instance=~"$instance",run=~"$run"'
RANK = JOB + ',rank=~"$rank"'
SOURCE = {'type': 'prometheus', 'uid': '${datasource}'}
RATE = '[$__rate_interval]'


def panel(title, unit, description, *queries, kind='timeseries', width=8, **more):
    return {'title': title, 'unit': unit, 'description': description, 'queries': queries, 'kind': kind,
            'width': width, **more}


BALANCE = [
    ('Who is ahead', [
        panel('Verdict', 'bool', 'The verdict of the balance controller. Each verdict has a lane, which is filled while the '
              'verdict is in force. If a lane other than balanced stays filled, look at the panels below.',
              ('max by (run, state) (gan_train_balance_state{%})', '{{state}} · {{run}}'), kind='state-timeline', width=16),
        panel('Loss imbalance', 'percentunit', '|L_D/2 - L_G| / (L_D/2 + L_G): 0 if the two losses are equal, near 1 '
              'if one of them is far below the other.', ('gan_train_loss_imbalance_ratio{%}', '{{run}}'), bounds=(0, 1)),
        panel('Discriminator AUC', 'percentunit', 'Probability that a real image scores above a generated one: 0.5 is '
              'guessing, 1 is perfect. Healthy runs stay between 0.6 and 0.95.', ('gan_train_discriminator_auc_ratio{%}', '{{run}}'),
              bounds=(0.4, 1), steps=[('yellow', None), ('green', 0.6), ('red', 0.98)]),
        panel('Losses', 'none', 'Loss of each network in the last step, mean over all ranks. Steady losses are good. It is '
              'a bad sign if one falls to its lowest possible value while the other rises.',
              ('gan_train_loss{%}', '{{network}} · {{run}}')),
        panel('Discriminator accuracy', 'percentunit', 'Fraction of the real and of the generated images that the discriminator '
              'classifies correctly. If both are near 1, it is ahead.',
              ('gan_train_discriminator_accuracy_ratio{%}', '{{input}} · {{run}}'), bounds=(0, 1)),
        panel('Discriminator output', 'percentunit', 'Mean output after the sigmoid on real and on generated images. The larger '
              'the gap, the better the discriminator separates them.',
              ('gan_train_discriminator_output_mean{%}', '{{input}} · {{run}}'),
              bounds=(0, 1)),
        panel('Sample diversity', 'none', 'How different generated images are from each other, and the same measure for real '
              'images. A fall far below the line of the real images is mode collapse.',
              ('gan_train_sample_diversity{%}', 'generated · {{run}}'),
              ('gan_train_sample_diversity_reference{%}', 'real · {{run}}')),
        panel('Classes', 'none', 'Number of classes of a conditional run whose generated images have become alike, and of '
              'those that the discriminator separates perfectly while it does not separate the others. The log names them.',
              ('gan_train_classes{%}', '{{state}} · {{run}}')),
        panel('Gradient norms', 'none', 'Euclidean norm of each network\'s synchronised gradient, on a logarithmic scale. A '
              'generator whose norm vanishes learns nothing; a norm that explodes will soon not be finite.',
              ('gan_train_gradient_norm{%}', '{{network}} · {{run}}'), logarithmic=True)]),
    ('Interventions and rates', [
        panel('Interventions', 'short', 'Interventions of the balance controller in the interval of one point. A balanced run '
              'has none for long times.',
              (f'sum by (run, action) (increase(gan_train_interventions_total{{%}}{RATE}))', '{{action}} · {{run}}'), bars=True),
        panel('Learning rates', 'sci', 'Learning rates in force, including the changes by the balance controller.',
              ('gan_train_learning_rate{%}', '{{network}} · {{run}}')),
        panel('Updates per second', 'ops', 'Updates of each network. If the two differ, the controller trains one network '
              'more often than the other.',
              (f'sum by (run, network) (rate(gan_train_steps_total{{%}}{RATE}))', '{{network}} · {{run}}')),
        panel('Steps that were not finite', 'short', 'Steps with a loss or gradient that was NaN or infinite, and the updates '
              'that were skipped because of it. A single case is harmless; repeated cases are a fault.',
              (f'sum by (run, network) (increase(gan_train_nonfinite_total{{%}}{RATE}))', 'not finite, {{network}} · {{run}}'),
              (f'sum by (run, network) (increase(gan_train_skipped_steps_total{{%}}{RATE}))', 'skipped, {{network}} · {{run}}'),
              bars=True, width=24)]),
    ('Quality of the generated images', [
        panel('Quality against the holdout', 'none', 'Measures of --quality-every on a logarithmic scale. Higher is better for '
              'density and coverage, lower for all others. MS-SSIM near 1 means that all images are alike.',
              ('gan_train_quality{%}', '{{measure}} · {{run}}'), logarithmic=True),
        panel('Gradient penalty', 'none', 'Gradient penalties (WGAN-GP, R1 and R2) in the discriminator\'s loss in '
              'the last step.',
              ('gan_train_penalty{%}', '{{run}}')),
        panel('Augmentation', 'percentunit', 'Probability of each augmentation of the discriminator\'s input. It rises while '
              'the discriminator overfits (with --balance act or --augment ada).',
              ('gan_train_augment_probability_ratio{%}', '{{run}}'), bounds=(0, 1))]),
]

RANKS = [
    ('Speed', [
        panel('Images per second', 'ops', 'Real images consumed by all ranks together.',
              (f'sum by (run) (rate(gan_train_images_total{{%}}{RATE}))', '{{run}}')),
        panel('Time of a step by phase', 's', 'Mean time of a step in each phase, over the chosen ranks. The phases of the '
              'networks do not include their synchronisation.',
              (f'sum by (run, phase) (rate(gan_train_step_duration_seconds_sum{{@,phase!="total"}}{RATE})) / ignoring (phase) '
               f'group_left sum by (run) (rate(gan_train_step_duration_seconds_count{{@,phase="total"}}{RATE}))',
               '{{phase}} · {{run}}'), stacked=True),
        panel('Slowest steps by rank', 's', '95th percentile of the time of a whole step on each rank.',
              (f'histogram_quantile(0.95, sum by (run, rank, le) (rate(gan_train_step_duration_seconds_bucket{{@,phase="total"}}'
               f'{RATE})))', 'rank {{rank}} · {{run}}')),
        panel('How long steps take', 's', 'All steps of the chosen ranks by their duration. A second band of slow steps points to a '
              'straggler, a slow disk or another job on the machine.',
              (f'sum by (le) (rate(gan_train_step_duration_seconds_bucket{{@,phase="total"}}{RATE}))', '{{le}}'),
              kind='heatmap', width=24)]),
    ('Communication', [
        panel('Time inside collectives', 'percentunit', 'Fraction of the time that a rank spends in collectives, including waiting for '
              'others. The others wait for the rank with the smallest fraction.',
              (f'rate(gan_comm_wait_seconds_total{{@}}{RATE})', 'rank {{rank}} · {{run}}')),
        panel('Bytes handed to collectives', 'Bps', 'Gradients and statistics that a rank passes to all-reduce, in bytes per second.',
              (f'rate(gan_comm_bytes_total{{@}}{RATE})', 'rank {{rank}} · {{run}}')),
        panel('Own work per step', 's', 'Time of a step that a rank does not spend waiting for others. A rank far above '
              'the others is a straggler.',
              # By instance too: after a restart on another port two processes have one rank for a while.
              (f'(rate(gan_train_step_duration_seconds_sum{{@,phase="total"}}{RATE}) - ignoring (phase) '
               f'rate(gan_comm_wait_seconds_total{{@}}{RATE})) / ignoring (phase) '
               f'rate(gan_train_step_duration_seconds_count{{@,phase="total"}}{RATE})', 'rank {{rank}} · {{run}}'))]),
    ('Ranks and processes', [
        panel('Ranks that answer', 'short', 'Number of endpoints that Prometheus reaches, and the world size. They must be equal.',
              ('count by (run) (gan_train_last_step_timestamp_seconds{%})', 'answer · {{run}}'),
              ('max by (run) (gan_train_world_size{%})', 'world size · {{run}}')),
        panel('Time since the last step', 's', 'If one rank hangs, this time grows on all ranks together.',
              ('time() - gan_train_last_step_timestamp_seconds{@}', 'rank {{rank}} · {{run}}')),
        panel('Resident memory', 'bytes', 'Memory of each rank\'s process. A rise that never ends is a leak.',
              ('process_resident_memory_bytes{@} and on (job, run, rank) gan_build_info{@}', 'rank {{rank}} · {{run}}')),
        panel('Processor use', 'percentunit', 'Processor time per second: 1 is one core fully used.',
              (f'rate(process_cpu_seconds_total{{@}}{RATE}) and on (job, run, rank) gan_build_info{{@}}', 'rank {{rank}} · {{run}}')),
        panel('Age of the processes', 's', 'Time since each process started. A fall to zero is a restart.',
              ('time() - process_start_time_seconds{@} and on (job, run, rank) gan_build_info{@}', 'rank {{rank}} · {{run}}')),
        panel('Restarts', 'short', 'How often gan-launch has restarted the job. launch.json in the run folder gives the reason.',
              ('max by (run) (gan_launch_restarts{%})', '{{run}}')),
        panel('Builds', 'short', 'Number of ranks per build. If a run has more than one line, its hosts have different programs.',
              ('count by (run, version, compiler, device) (gan_build_info{%})',
               '{{version}} · {{compiler}} · {{device}} · {{run}}'))]),
]

DATA = [
    ('Data', [
        panel('Waiting for data', 'percentunit', 'Fraction of the time that a rank waits for its next batch. Above 0.05, the '
              'disks are too slow for the training.',
              (f'rate(gan_data_wait_seconds_total{{@}}{RATE})', 'rank {{rank}} · {{run}}'),
              steps=[('green', None), ('red', 0.2)]),
        panel('Corrupt records', 'short', 'Records with a wrong checksum that were replaced by others, in the interval of one '
              'point. Even a single one is a reason to check the disk.',
              (f'sum by (run, rank) (increase(gan_data_corrupt_records_total{{@}}{RATE}))', 'rank {{rank}} · {{run}}'),
              bars=True, width=16),
        panel('Images preprocessed', 'ops', 'Inputs per second that gan-preprocess handles, by result: accepted, or the '
              'reason in quarantine.jsonl. Empty unless it runs with --metrics-port.',
              (f'sum by (run, result) (rate(gan_preprocess_images_total{{@}}{RATE}))', '{{result}} · {{run}}'), width=24)]),
    ('Checkpoints', [
        panel('Age of the last checkpoint', 's', 'Training time that would be lost if the run crashed now.',
              ('time() - gan_checkpoint_last_success_timestamp_seconds{%}', '{{run}}')),
        panel('Time to save', 's', 'Wall time of the last save, from snapshot to commit.',
              ('gan_checkpoint_duration_seconds{%}', '{{run}}')),
        panel('Size', 'bytes', 'Size of all parts of the last checkpoint together.', ('gan_checkpoint_bytes{%}', '{{run}}')),
        panel('Failed checkpoints', 'short', 'Checkpoints that could not be committed in the interval shown. The log gives the reason.',
              ('sum by (run) (increase(gan_checkpoint_failures_total{%}[$__range]))', '{{run}}'), kind='stat', width=8,
              steps=[('green', None), ('red', 1)]),
        panel('Time spent saving', 'percentunit', 'Fraction of the training time that goes into checkpoints.',
              (f'sum by (run) (rate(gan_train_step_duration_seconds_sum{{%,phase="checkpoint",rank="0"}}{RATE}))', '{{run}}'),
              width=16)]),
]

DASHBOARDS = {
    'gan-balance': ('GAN balance', 'Which network is ahead, and what the controller does about it.', BALANCE),
    'gan-ranks': ('GAN ranks and communication', 'How fast a run is, where the time goes, and whether all ranks answer.',
                  RANKS),
    'gan-data': ('GAN data and checkpoints', 'Whether the data is fast enough and intact, and what a crash would cost.', DATA),
}


def variable(name, label, query):
    return {'name': name, 'label': label, 'type': 'query', 'datasource': SOURCE, 'definition': query,
            'query': {'query': query, 'refId': f'var-{name}'}, 'refresh': 2, 'sort': 3, 'multi': True, 'includeAll': True,
            'allValue': '.+', 'hide': 0, 'options': [], 'regex': '', 'skipUrlSync': False,
            'current': {'selected': True, 'text': ['All'], 'value': ['$__all']}}


VARIABLES = [
    {'name': 'datasource', 'label': 'Data source', 'type': 'datasource', 'query': 'prometheus', 'refresh': 1, 'hide': 0,
     'includeAll': False, 'multi': False, 'options': [], 'current': {}, 'regex': '', 'skipUrlSync': False},
    variable('job', 'Job', 'label_values(gan_train_world_size, job)'),
    variable('instance', 'Instance', 'label_values(gan_build_info{job=~"$job"}, instance)'),
    variable('run', 'Run', 'label_values(gan_train_world_size{job=~"$job"}, run)'),
    variable('rank', 'Rank', f'label_values(gan_train_last_step_timestamp_seconds{{{JOB}}}, rank)'),
]


def target(number, expression, legend, kind):
    expression = expression.replace('{%', '{' + JOB).replace('{@', '{' + RANK)
    return {'refId': chr(ord('A') + number), 'datasource': SOURCE, 'expr': expression, 'legendFormat': legend,
            'editorMode': 'code', 'range': True, 'instant': False, 'format': 'heatmap' if kind == 'heatmap' else 'time_series'}


def defaults(p):
    steps = [{'color': colour, 'value': value} for colour, value in p.get('steps', [('green', None)])]
    found = {'unit': p['unit'], 'thresholds': {'mode': 'absolute', 'steps': steps}}
    if p['kind'] == 'timeseries':
        found['custom'] = {'drawStyle': 'bars' if p.get('bars') else 'line', 'lineWidth': 1, 'showPoints': 'never',
                           'fillOpacity': 60 if p.get('bars') or p.get('stacked') else 8, 'spanNulls': 60000,
                           'stacking': {'mode': 'normal' if p.get('stacked') else 'none', 'group': 'A'},
                           'scaleDistribution': {'type': 'log', 'log': 10} if p.get('logarithmic') else {'type': 'linear'},
                           'thresholdsStyle': {'mode': 'line' if len(steps) > 1 else 'off'}}
    if p['kind'] == 'state-timeline':
        found['custom'] = {'fillOpacity': 80, 'lineWidth': 0}
        found['mappings'] = [{'type': 'value', 'options': {'0': {'text': 'no', 'color': 'transparent', 'index': 0},
                                                           '1': {'text': 'yes', 'color': 'orange', 'index': 1}}}]
    if 'bounds' in p:
        found['min'], found['max'] = p['bounds']
    return found


OPTIONS = {
    'timeseries': {'legend': {'displayMode': 'list', 'placement': 'bottom', 'showLegend': True},
                   'tooltip': {'mode': 'multi', 'sort': 'desc'}},
    'state-timeline': {'mergeValues': True, 'showValue': 'never', 'rowHeight': 0.9,
                       'legend': {'displayMode': 'list', 'placement': 'bottom', 'showLegend': False},
                       'tooltip': {'mode': 'single', 'sort': 'none'}},
    'stat': {'colorMode': 'value', 'graphMode': 'area', 'justifyMode': 'auto', 'orientation': 'auto', 'textMode': 'auto',
             'reduceOptions': {'calcs': ['lastNotNull'], 'fields': '', 'values': False}},
    'heatmap': {'calculate': False, 'cellGap': 1, 'color': {'mode': 'scheme', 'scheme': 'Blues', 'steps': 64},
                'yAxis': {'unit': 's'}, 'tooltip': {'mode': 'single', 'yHistogram': False, 'showColorScale': False},
                'legend': {'show': True}},
}


def panels(rows):
    found, y, number = [], 0, 1
    for title, members in rows:
        found.append({'id': number, 'type': 'row', 'title': title, 'collapsed': False, 'panels': [],
                      'gridPos': {'h': 1, 'w': 24, 'x': 0, 'y': y}})
        number, y, x = number + 1, y + 1, 0
        for p in members:
            if x + p['width'] > 24:
                x, y = 0, y + 8
            found.append({'id': number, 'type': p['kind'], 'title': p['title'], 'description': p['description'],
                          'datasource': SOURCE, 'gridPos': {'h': 8, 'w': p['width'], 'x': x, 'y': y},
                          'fieldConfig': {'defaults': defaults(p), 'overrides': []}, 'options': OPTIONS[p['kind']],
                          'targets': [target(i, *query, p['kind']) for i, query in enumerate(p['queries'])]})
            number, x = number + 1, x + p['width']
        y += 8
    return found


def dashboard(uid, title, description, rows):
    interventions = f'sum by (action) (increase(gan_train_interventions_total{{{JOB}}}{RATE})) > 0'
    others = [{'title': DASHBOARDS[other][0], 'type': 'link', 'url': f'/d/{other}', 'icon': 'dashboard', 'tags': [],
               'asDropdown': False, 'includeVars': True, 'keepTime': True, 'targetBlank': False, 'tooltip': ''}
              for other in DASHBOARDS if other != uid]
    return {'uid': uid, 'title': title, 'description': description, 'tags': ['equipoise', 'gan'], 'schemaVersion': 41,
            'version': 1, 'editable': False, 'graphTooltip': 1, 'timezone': 'browser', 'refresh': '10s', 'links': others,
            'time': {'from': 'now-1h', 'to': 'now'}, 'timepicker': {}, 'fiscalYearStartMonth': 0, 'liveNow': False,
            'annotations': {'list': [{'name': 'Interventions', 'datasource': SOURCE, 'enable': True, 'hide': False,
                                      'iconColor': 'orange', 'expr': interventions, 'titleFormat': '{{action}}', 'step': '10s'}]},
            'templating': {'list': VARIABLES}, 'panels': panels(rows)}


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent
    for uid, (title, description, rows) in DASHBOARDS.items():
        text = json.dumps(dashboard(uid, title, description, rows), indent=1, ensure_ascii=False)
        (folder / f'{uid}.json').write_text(text + '\n')


if __name__ == '__main__':
    main()
