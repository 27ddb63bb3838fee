#!/usr/bin/env bash
# Makes a user for a fleet who may read and write below one prefix, and nothing else:
#
#   FLEET_PASSWORD=… ROOT_PASSWORD=… deploy/etcd/user.sh bluegreen /bluegreen/prod
#
# Where etcd asks nobody for a password yet, it does from then on. etcdctl finds etcd, and its own certificate, by the
# variables ETCDCTL_ENDPOINTS, ETCDCTL_CACERT, ETCDCTL_CERT and ETCDCTL_KEY. Passwords go by the environment and by
# standard input, so that no list of processes shows them. A second call gives the user another password or prefix.
set -euo pipefail

user=${1:?the name of the user is missing}
prefix=${2:?the prefix is missing, such as /bluegreen/prod}
: "${FLEET_PASSWORD:?is not set}" "${ROOT_PASSWORD:?is not set}"
etcdctl=${ETCDCTL:-etcdctl}
role=$user

as_root() {
  ETCDCTL_USER=root ETCDCTL_PASSWORD=$ROOT_PASSWORD "$etcdctl" "$@"
}
# etcd that asks nobody takes no notice of a user.
if as_root auth status 2>/dev/null | grep -q 'Authentication Status: true'; then
  call=as_root
else
  call=$etcdctl
  "$etcdctl" user get root >/dev/null 2>&1 || printf '%s\n' "$ROOT_PASSWORD" | "$etcdctl" user add root --interactive=false
  "$etcdctl" user grant-role root root
fi

$call role get "$role" >/dev/null 2>&1 || $call role add "$role"
# A key that begins with the prefix and a slash.
$call role grant-permission "$role" readwrite --prefix "${prefix%/}/"
if $call user get "$user" >/dev/null 2>&1; then
  printf '%s\n' "$FLEET_PASSWORD" | $call user passwd "$user" --interactive=false
else
  printf '%s\n' "$FLEET_PASSWORD" | $call user add "$user" --interactive=false
fi
$call user grant-role "$user" "$role"
[ "$call" = as_root ] || "$etcdctl" auth enable
