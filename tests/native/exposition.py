# Reads metrics with the parsers of Prometheus' own Python client, the one for the media type in the first argument,
# and prints the samples as JSON. What is not in that format ends in an exception.
import json, math, sys
from prometheus_client import openmetrics, parser
import prometheus_client.openmetrics.parser

parse = openmetrics.parser if "openmetrics" in sys.argv[1] else parser
samples = {}
families = set()
for family in parse.text_string_to_metric_families(sys.stdin.read()):
    assert family.documentation, family.name
    assert family.type != "unknown", family.name
    assert family.name not in families, family.name
    families.add(family.name)
    for sample in family.samples:
        labels = ",".join(f"{key}={value}" for key, value in sorted(sample.labels.items()))
        name = sample.name + (f"{{{labels}}}" if labels else "")
        assert name not in samples, name
        assert not math.isnan(sample.value), name
        samples[name] = sample.value
print(json.dumps(samples))
