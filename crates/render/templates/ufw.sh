#!/bin/sh
# What this node itself lets in, for ufw. Rendered: change the stage plot, not
# this file. What Docker publishes passes ufw by: stageplot.nft guards that.
set -eu
ufw default deny incoming
ufw default allow outgoing
{%- for rule in input %}
{%- if rule.bridge %}
ufw allow in on {{ bridge }} proto {{ rule.protocol }} from {{ bridge_v4 }} to any port {{ rule.ufw_ports }} comment {{ rule.ufw_reason }}
{%- elif rule.family %}
{%- for source in rule.sources %}
ufw allow proto {{ rule.protocol }} from {{ source }} to any port {{ rule.ufw_ports }} comment {{ rule.ufw_reason }}
{%- endfor %}
{%- else %}
ufw allow proto {{ rule.protocol }} from any to any port {{ rule.ufw_ports }} comment {{ rule.ufw_reason }}
{%- endif %}
{%- endfor %}
ufw --force enable
