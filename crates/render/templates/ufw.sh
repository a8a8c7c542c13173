#!/bin/sh
# What this node itself lets in, for ufw. Rendered: change the stage plot, not
# this file. It may be run again: it adds what is missing, then takes out those
# of its own rules that are no longer wanted, known by their comment. Your own
# rules stay. What Docker publishes passes ufw by: stageplot.nft guards that.
set -eu
export LC_ALL=C
mark={{ mark }}

# Calls a function with the reason of every rule, and the rule in ufw's words. A
# reason's apostrophe is a printer's, for ufw takes no other.
# shellcheck disable=SC1112
rules() {
	:
{%- for rule in input %}
{%- if rule.bridge %}
	"$1" {{ rule.ufw_reason }} allow in on {{ bridge }} from {{ bridge_v4 }} to any port {{ rule.ufw_ports }} proto {{ rule.protocol }}
{%- elif rule.family %}
{%- for source in rule.sources %}
	"$1" {{ rule.ufw_reason }} allow from {{ source }} to any port {{ rule.ufw_ports }} proto {{ rule.protocol }}
{%- endfor %}
{%- else %}
	"$1" {{ rule.ufw_reason }} allow {{ rule.ufw_ports ~ "/" ~ rule.protocol }}
{%- endif %}
{%- endfor %}
}

lf='
'
# Whether the lines of $1 have the line $2.
has() {
	case $lf$1$lf in *"$lf$2$lf"*) ;; *) return 1 ;; esac
}
# The rules that there are; those that this script made; and those of others.
added() {
	ufw show added | sed -n 's/^ufw //p'
}
own() {
	added | sed -n "s/ comment '$mark: .*'\$//p"
}
others() {
	added | sed -e "/ comment '$mark: .*'\$/d" -e "s/ comment '.*'\$//" -e 's/ log\(-all\)\{0,1\} / /'
}

# ufw would put a rule in the place of a like one of yours: yours stays.
add() {
	reason=$1
	shift
	rule=$*
	if has "$done" "$rule"; then return 0; fi
	done=$done$lf$rule
	if has "$before" "$rule comment '$mark: $reason'"; then return 0; fi
	if has "$yours" "$rule" || has "$yours" "limit${rule#allow}"; then return 0; fi
	for verb in deny reject; do
		if has "$yours" "$verb${rule#allow}"; then
			echo "a rule of your own closes what the stage plot needs: ufw $verb${rule#allow} ($reason)" >&2
			return 0
		fi
	done
	ufw "$@" comment "$mark: $reason" </dev/null
}
before=$(added)
yours=$(others)
done=
rules add

status=$(ufw status verbose)
case $status in
*'Default: deny (incoming), allow (outgoing)'*) ;;
*)
	ufw default deny incoming
	ufw default allow outgoing
	;;
esac
case $status in
'Status: active'*) ;;
*) ufw --force enable ;;
esac

words() {
	shift
	echo "$*"
}
wanted=$(rules words)
there=$(own)
others=$(others)
# Were one not found, ufw would write rules in other words than these here, and
# what is wanted could not be told from what is not.
check() {
	shift
	rule=$*
	for verb in allow limit deny reject; do
		if has "$others" "$verb${rule#allow}"; then return 0; fi
	done
	if ! has "$there" "$rule"; then
		echo "ufw does not show the rule that it was given, so no rule is taken out: $rule" >&2
		exit 1
	fi
}
rules check
echo "$there" | while IFS= read -r rule; do
	if [ -n "$rule" ] && ! has "$wanted" "$rule"; then
		# Split into its words.
		# shellcheck disable=SC2086
		ufw delete $rule </dev/null
	fi
done
