#!/usr/bin/env python3
"""Prints ConfigMaps of the dashboards (for Grafana's sidecar) and of the alert rules: configmaps.py | kubectl apply -f -"""
import json
import pathlib

MONITORING = pathlib.Path(__file__).resolve().parents[2] / 'monitoring'


def config_map(name, labels, files):
    return {'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': name, 'labels': labels},
            'data': {path.name: path.read_text() for path in files}}


def config_maps():
    return [config_map('gan-dashboards', {'grafana_dashboard': '1'}, sorted((MONITORING / 'grafana').glob('gan-*.json'))),
            config_map('gan-alerts', {'app': 'gan-train'}, [MONITORING / 'prometheus' / 'alerts.yml'])]


if __name__ == '__main__':
    print(json.dumps({'apiVersion': 'v1', 'kind': 'List', 'items': config_maps()}, indent=1))
