"""The dashboards: as their description makes them, by the rules of grafana/dashboard-linter, and for Grafana's own types.

The linter itself is a Go program that Debian does not have; its rules (docs/rules in its repository, and those of its
source that have no page) are written out here.
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard
from grafana_foundation_sdk.models.prometheus import Dataquery

ROOT = pathlib.Path(__file__).resolve().parents[2]
GRAFANA = ROOT / 'monitoring' / 'grafana'
FILES = sorted(GRAFANA.glob('*.json'))
# The units that we use, among those that the linter knows.
UNITS = {'none', 'short', 'percentunit', 'sci', 'bytes', 'Bps', 's', 'ops', 'bool'}
ANY_SOURCE = ('$datasource', '${datasource}')


def panels(dashboard):
    return [panel for panel in dashboard['panels'] if panel['type'] != 'row']


class Rules(unittest.TestCase):
    def each(self):
        self.assertEqual(['gan-balance.json', 'gan-data.json', 'gan-ranks.json'], [file.name for file in FILES])
        for file in FILES:
            with self.subTest(file.name):
                yield json.loads(file.read_text())

    def each_panel(self):
        for dashboard in self.each():
            for panel in panels(dashboard):
                with self.subTest(panel['title']):
                    yield panel

    def each_query(self):
        for panel in self.each_panel():
            for target in panel['targets']:
                yield target['expr']

    def variables(self, dashboard):
        return {variable['name']: variable for variable in dashboard['templating']['list']}

    def test_committed_files_are_what_the_description_makes(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([sys.executable, GRAFANA / 'make_dashboards.py', folder], check=True)
            for file in FILES:
                self.assertEqual((pathlib.Path(folder) / file.name).read_text(), file.read_text(),
                                 f'run monitoring/grafana/make_dashboards.py after a change of it ({file.name})')

    def test_they_have_the_schema_of_the_grafana_that_they_are_checked_for(self):
        for dashboard in self.each():
            self.assertEqual(Dashboard().schema_version, dashboard['schemaVersion'])

    def test_uneditable_dashboard_rule(self):
        for dashboard in self.each():
            self.assertIs(dashboard['editable'], False)

    def test_template_datasource_rule(self):
        for dashboard in self.each():
            source = self.variables(dashboard)['datasource']
            self.assertEqual(('datasource', 'Data source', 'prometheus'), (source['type'], source['label'], source['query']))

    def test_template_job_and_instance_rules_and_those_of_ours(self):
        for dashboard in self.each():
            for name in ('job', 'instance', 'run', 'rank'):
                variable = self.variables(dashboard)[name]
                self.assertIn(variable['datasource']['uid'], ANY_SOURCE)
                self.assertEqual(('query', name.title(), True, '.+'),
                                 (variable['type'], variable['label'], variable['multi'], variable['allValue']))

    def test_template_label_promql_rule(self):
        for dashboard in self.each():
            for name in ('job', 'instance', 'run', 'rank'):
                self.assertRegex(self.variables(dashboard)[name]['query']['query'],
                                 r'^label_values\(gan_\w+(\{[^}]+\})?, ' + name + r'\)$')

    def test_template_on_time_change_reload_rule(self):
        for dashboard in self.each():
            for name in ('job', 'instance', 'run', 'rank'):
                self.assertEqual(2, self.variables(dashboard)[name]['refresh'])

    def test_panel_datasource_rule(self):
        for panel in self.each_panel():
            self.assertIn(panel['datasource']['uid'], ANY_SOURCE)

    def test_panel_no_targets_rule(self):
        for panel in self.each_panel():
            self.assertTrue(panel['targets'])

    def test_panel_title_description_rule(self):
        for panel in self.each_panel():
            self.assertGreater(len(panel['title']), 3)
            self.assertGreater(len(panel['description']), 20)

    def test_panel_units_rule(self):
        for panel in self.each_panel():
            self.assertIn(panel['fieldConfig']['defaults']['unit'], UNITS)

    def test_a_restart_on_another_port_breaks_no_arithmetic(self):
        # For some minutes two instances have one rank. Then `on (job, run, rank)` between two numbers is an error.
        for query in self.each_query():
            self.assertNotRegex(query, r'[-+*/] on \(job, run, rank\)')

    def test_target_job_and_instance_rules(self):
        for query in self.each_query():
            for metric, matchers in re.findall(r'\b((?:gan|process)_\w+)(\{[^}]*\})?', query):
                self.assertIn('job=~"$job",instance=~"$instance",run=~"$run"', matchers, f'{metric} in {query}')

    def test_target_rate_interval_rule(self):
        for query in self.each_query():
            for function, interval in re.findall(r'\b(\w+)\((?:[^()\[]*)\[([^\]]+)\]', query):
                if function in ('rate', 'irate'):
                    self.assertEqual('$__rate_interval', interval, query)
                self.assertFalse(interval == '$__rate_interval' and function not in ('rate', 'irate', 'increase'), query)

    def test_target_counter_agg_rule(self):
        for query in self.each_query():
            for counter in re.finditer(r'\b(?:gan|process)_\w+_total\b', query):
                self.assertRegex(query[:counter.start()], r'(rate|irate|increase)\($', query)

    def test_panels_do_not_overlap_and_have_their_own_ids(self):
        for dashboard in self.each():
            self.assertEqual(len(dashboard['panels']), len({panel['id'] for panel in dashboard['panels']}))
            cells = set()
            for panel in dashboard['panels']:
                at = panel['gridPos']
                mine = {(x, y) for x in range(at['x'], at['x'] + at['w']) for y in range(at['y'], at['y'] + at['h'])}
                self.assertLessEqual(at['x'] + at['w'], 24)
                self.assertFalse(cells & mine, panel['title'])
                cells |= mine

    def test_the_foundation_sdk_reads_every_query_as_one_for_prometheus(self):
        register_default_plugins()
        for dashboard in self.each():
            for panel in panels(dashboard):
                for target in panel['targets']:
                    self.assertEqual('prometheus', target['datasource']['type'])
            read = Dashboard.from_json(dashboard)
            self.assertEqual(dashboard['title'], read.title)
            written = json.loads(json.dumps(read, cls=JSONEncoder))
            self.assertEqual([panel['title'] for panel in dashboard['panels']], [panel['title'] for panel in written['panels']])
            for panel, again in zip(dashboard['panels'], written['panels']):
                self.assertEqual([target['expr'] for target in panel.get('targets', [])],
                                 [target['expr'] for target in again.get('targets', [])])
            for panel in read.panels:
                for target in getattr(panel, 'targets', None) or []:
                    self.assertIsInstance(target, Dataquery)

    def test_compose_provisions_all_of_them(self):
        compose = (ROOT / 'monitoring' / 'compose.yml').read_text()
        for file in FILES:
            self.assertIn(f'- ./grafana/{file.name}:/var/lib/grafana/dashboards/{file.name}:ro\n', compose)


if __name__ == '__main__':
    unittest.main()
