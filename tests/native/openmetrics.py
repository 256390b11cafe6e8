# Reads OpenMetrics text with the strict parser of the standard's reference implementation, and prints
# its samples as JSON. What is not OpenMetrics ends in an exception.
import json, math, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families

samples = {}
for family in text_string_to_metric_families(sys.stdin.read()):
    assert family.documentation, family.name
    for sample in family.samples:
        labels = ",".join(f"{key}={value}" for key, value in sorted(sample.labels.items()))
        name = sample.name + (f"{{{labels}}}" if labels else "")
        assert name not in samples, name
        assert not math.isnan(sample.value), name
        samples[name] = sample.value
print(json.dumps(samples))
