#!/bin/sh
# Verify confirmations with curl.
#
#   verify.sh online URL FILE                                        one file
#   verify.sh licence URL NUMBER EXPORTER DESTINATION VIN...         what stands on an export licence
#   verify.sh bundle URL TOKENFILE BUNDLE                            fetch the offline bundle if there is a newer one
#
# Prints the outcome, the code and TEST where nothing has effect. Exit: 0 pass, 1 fail, 2 review, 3 none or no answer.
set -eu
how=$1 url=${2%/}/api/v1

value() { # the first value of a field of text in an answer of JSON
    printf '%s' "$answer" | grep -o "\"$1\": *\"[^\"]*\"" | head -n 1 | sed 's/^[^:]*: *"//; s/"$//'
}

tell() {
    outcome=$(value outcome)
    test=$(printf '%s' "$answer" | grep -q '"test": *true' && printf ' TEST' || true)
    printf '%s %s%s\n' "$outcome" "$1" "$test"
    case $outcome in pass) exit 0 ;; review) exit 2 ;; none) exit 3 ;; *) exit 1 ;; esac # whatever is unknown: fail
}

case $how in
online)
    answer=$(curl -fsS --max-time 60 -H "Content-Type: application/pdf" --data-binary "@$3" "$url/verify") || exit 3
    tell "$(value code)"
    ;;
licence)
    number=$3 exporter=$4 destination=$5
    shift 5
    vins=$(printf '"%s",' "$@")
    answer=$(printf '{"numbers":["%s"],"exporter":"%s","destination":"%s","vins":[%s]}' \
        "$number" "$exporter" "$destination" "${vins%,}" |
        curl -fsS --max-time 60 --json @- "$url/licence-checks") || exit 3
    tell "$number"
    ;;
bundle)
    # The token comes from a file, so that no list of processes shows it. The ETag of the last bundle lies beside it.
    printf 'header = "Authorization: Bearer %s"\n' "$(cat "$3")" |
        curl -fsS --max-time 600 --config - --etag-compare "$4.etag" --etag-save "$4.etag.new" \
            -o "$4.new" -w '%{http_code}\n' "$url/bundles/offline" || exit 3
    if [ -s "$4.new" ]; then mv "$4.new" "$4"; fi
    if [ -s "$4.etag.new" ]; then mv "$4.etag.new" "$4.etag"; fi
    rm -f "$4.new" "$4.etag.new"
    ;;
*)
    printf 'verify.sh online | licence | bundle ...\n' >&2
    exit 64
    ;;
esac
