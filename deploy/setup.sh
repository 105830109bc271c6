#!/bin/sh
# Make .venv with the locked packages: `setup.sh run` (run time only), `setup.sh dev`, or `setup.sh fuzz` (beside dev).
# `setup.sh bench` puts what `make bench` measures us against into .venv/bench, apart from ours (ADR 0002), and
# `setup.sh docs` what builds the site of the documents into .venv/docs.
# Safe to repeat.
set -eu
lock=$1
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}

say() { printf '%s\n' "$*" >&2; }

command -v "$python" >/dev/null 2>&1 || { say "signer needs Python 3.11 or newer: $python was not found"; exit 1; }
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    say "signer needs Python 3.11 or newer; $python is $("$python" -V 2>&1). Name another: make PYTHON=python3.12 ..."
    exit 1
}
if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
        say "installing python3-venv ..."
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null
    else
        say "python3-venv is missing: run 'sudo apt-get install python3-venv' (or your system's package), then again"
        exit 1
    fi
fi
[ -x .venv/bin/python ] || { say "making .venv ..."; "$python" -m venv .venv; }
say "installing the packages of requirements/$lock.txt (about 250 MB to fetch the first time, fonts included) ..."
target=
if [ "$lock" = bench ] || [ "$lock" = docs ]; then
    rm -rf ".venv/$lock"
    target="--target .venv/$lock"
fi
# The lock names every package: nothing is left to be resolved (an extra that a package wants is in it as well).
# shellcheck disable=SC2086 -- two words or none
.venv/bin/python -m pip install -qq --disable-pip-version-check --no-input --require-hashes --only-binary :all: \
    --no-deps $target -r "requirements/$lock.txt" || { say "the packages could not be installed: is the package index reachable?"; exit 1; }
if [ "$lock" = dev ]; then  # other people's readers of the code on paper: they want another cbor2 than ours (ADR 0002)
    rm -rf .venv/oracles
    .venv/bin/python -m pip install -qq --disable-pip-version-check --no-input --require-hashes --only-binary :all: \
        --no-deps --target .venv/oracles -r requirements/oracles.txt
fi
# What the tests drive: a browser, a token in software, other people's programs that judge our seals, and the samples'
# clients.
tools="chromium:chromium softhsm2-util:softhsm2 pdfsig:poppler-utils mutool:mupdf-tools qpdf:qpdf openssl:openssl curl:curl"
tools="$tools javac:openjdk-17-jdk-headless"
missing=
if [ "$lock" = bench ]; then
    ldconfig -p | grep -q libpangoft2 || missing=" libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
    fc-list 2>/dev/null | grep -q "Noto Sans CJK SC" || missing="$missing fontconfig fonts-noto-core fonts-noto-cjk"
fi
if [ "$lock" = dev ]; then
    for tool in $tools; do command -v "${tool%%:*}" >/dev/null 2>&1 || missing="$missing ${tool##*:}"; done
fi
if [ -n "$missing" ]; then
    if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
        say "installing$missing for the tests ..."
        # shellcheck disable=SC2086 -- one word a package
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing >/dev/null
    else
        say "missing:$missing. The tests that need them fail until they are installed"
    fi
fi
if [ "$lock" = dev ] && ! command -v softhsm2-util >/dev/null 2>&1; then
    if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
        say "installing softhsm2 for the tests of keys in tokens ..."
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq softhsm2 >/dev/null
    else
        say "softhsm2 is missing: the tests of keys in tokens fail until it is installed ('sudo apt-get install softhsm2')"
    fi
fi
site=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
pwd > "$site/signer-checkout.pth"
cat > .venv/bin/signer <<END
#!$(pwd)/.venv/bin/python
from signer.cli import main

main()
END
chmod +x .venv/bin/signer
touch ".venv/$lock.stamp"
[ "$lock" != dev ] || touch .venv/run.stamp
