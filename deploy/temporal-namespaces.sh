#!/bin/sh
# Creates the namespaces named in NAMESPACES and their search attributes, where
# they are missing. Safe to run again. RETENTION is how long closed workflows, and
# the answers to repeated idempotency keys, are remembered.
set -eu

attributes="ConnectionApp=Keyword ConnectionEnvironment=Keyword ConnectionStatus=Keyword
ConnectionAuthKind=Keyword ConnectionAuthConfig=Keyword ConnectionOwner=Keyword
ConnectionName=Keyword ConnectionAccount=Keyword AlertKind=Keyword
ConnectionToolkit=KeywordList ConnectionLastUsed=Datetime ConnectionExpires=Datetime"

# A server that has just opened its port may not know its own members yet.
tries=0
until temporal operator cluster health >/dev/null 2>&1; do
	tries=$((tries + 1))
	if [ "$tries" -ge 60 ]; then
		echo "Temporal at $TEMPORAL_ADDRESS did not become healthy" >&2
		exit 1
	fi
	sleep 2
done

for namespace in $NAMESPACES; do
	temporal operator namespace describe --namespace "$namespace" >/dev/null 2>&1 ||
		temporal operator namespace create --namespace "$namespace" --retention "$RETENTION"
done

for namespace in $NAMESPACES; do
	# A namespace that was just created is known everywhere after some seconds.
	tries=0
	until present=$(temporal operator search-attribute list --namespace "$namespace" 2>/dev/null); do
		tries=$((tries + 1))
		[ "$tries" -lt 30 ] || { echo "namespace $namespace cannot be read" >&2; exit 1; }
		sleep 2
	done
	for attribute in $attributes; do
		name=${attribute%%=*} type=${attribute#*=}
		if ! printf '%s\n' "$present" | grep -qw "$name"; then
			temporal operator search-attribute create --namespace "$namespace" --name "$name" --type "$type"
		fi
	done
	echo "namespace $namespace is ready"
done
