"""
Makes what is derived in `k8s/monitoring`: the dashboard, from `rows_*`, and the PrometheusRule, from `alerts.yaml`.

    python -m k8s.monitoring.generate

writes both; a test fails while what is committed differs. The dashboard is built with Grafana's own library, whose
types are generated from its schemas, so that it holds nothing that Grafana does not know.
"""
