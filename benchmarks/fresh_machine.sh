#!/usr/bin/env bash
# What a newcomer waits for and what it takes on disk: from an empty directory, an empty home and
# no cache. Prints a Markdown table; with --write puts it into docs/install.md.
#
#     benchmarks/fresh_machine.sh [--write]               make run to a usable app, make test
#     benchmarks/fresh_machine.sh installers [--write]    uv against pip, run-time packages only
#
# The committed state is measured. Everything it starts lives under one temporary folder and is
# ended and removed with it.
set -euo pipefail
cd "$(dirname "$0")/.."
checkout=$PWD
what=commands write=
for word in "$@"; do
    case $word in
        --write) write=yes ;;
        installers) what=installers ;;
        *) echo "Use: fresh_machine.sh [installers] [--write]" >&2; exit 2 ;;
    esac
done

top=$(mktemp -d)
port=$((20000 + RANDOM % 20000))
ours() { # processes that run inside the temporary folder
    local p
    for p in /proc/[0-9]*; do
        case $(readlink "$p/cwd" 2>/dev/null) in "$top"*) echo "${p#/proc/}" ;; esac
    done
}
end_all() { local p; for p in $(ours); do kill "$p" 2>/dev/null || true; done; sleep 1; for p in $(ours); do kill -9 "$p" 2>/dev/null || true; done; }
trap 'end_all; rm -rf "$top"' EXIT

fresh() { # an empty home and a fresh copy of the checkout, in $copy and $home
    copy=$top/$1/studio home=$top/$1/home
    mkdir -p "$home"
    git clone -q --no-hardlinks "$checkout" "$copy"
}
# Only how packages are reached is taken over from this shell.
kept=()
while IFS= read -r line; do kept+=("$line"); done < <(env | grep -E '^(PIP_(INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|CERT|TRUSTED_HOST)|SSL_CERT_FILE|(HTTPS?|ALL|NO)_PROXY|(https?|all|no)_proxy)=' || true)
clean() { env -i HOME="$home" PATH="$PATH" LANG=C.UTF-8 "${kept[@]}" "$@"; }
timed() { # seconds of wall and CPU of a command, in $wall and $cpu; its output goes to a log
    local TIMEFORMAT='%R %U %S' spent code=0
    { time "$@" >"$top/log" 2>&1 </dev/null || code=$?; } 2>"$top/spent"
    read -r wall user system <"$top/spent"
    cpu=$(awk "BEGIN {printf \"%.0f\", $user + $system}")
    wall=$(awk "BEGIN {printf \"%.0f\", $wall}")
    if ((code)); then tail -n 40 "$top/log" >&2; echo "Failed: $*" >&2; exit 1; fi
}
mb() { du -sm "$1" 2>/dev/null | cut -f1; }
row() { local IFS='|'; echo "| $* |" | sed 's/|/ | /g; s/^ | */| /; s/ *| *$/ |/; s/  */ /g'; }
now() { date +%s.%N; }
since() { awk "BEGIN {printf \"%.0f\", $(now) - $1}"; }

installers() {
    row "installer" "wall, s" "CPU, s" ".venv, MB" "left in the home, MB"
    row "---" "---" "---" "---" "---"
    fresh uv
    (cd "$copy" && timed clean make -s setup-run && row "uv, as \`make setup\` does" "$wall" "$cpu" "$(mb .venv)" "$(mb "$home")")
    (cd "$copy" && timed clean .venv/bin/python -m compileall -q -j 0 .venv/lib && row "compiling every module after it" "$wall" "$cpu" "$(mb .venv)" "$(mb "$home")")
    fresh pip
    (cd "$copy" && timed clean make -s setup-run INSTALLER=pip && row "pip, \`make setup INSTALLER=pip\`" "$wall" "$cpu" "$(mb .venv)" "$(mb "$home")")
}

usable() { # wait until the app shows its first page to a real browser
    if [ -x "$checkout/.venv/bin/playwright" ]; then
        "$checkout/.venv/bin/python" - "$1" <<'PY'
import sys, time
from playwright.sync_api import Error, sync_playwright
from scripts.browser import find
with sync_playwright() as play:
    browser = play.chromium.launch(executable_path=find(), args=["--no-sandbox"])
    page = browser.new_page()
    ends = time.monotonic() + 300
    while True:
        try:
            page.goto(f"http://127.0.0.1:{sys.argv[1]}/", timeout=2_000)
            page.locator("h1").first.wait_for(timeout=60_000)
            break
        except Error:
            if time.monotonic() > ends:
                raise
            time.sleep(0.2)
    browser.close()
PY
    else
        timeout 300 sh -c "until python3 -c 'import urllib.request as u; u.urlopen(\"http://127.0.0.1:$1/_stcore/health\")' 2>/dev/null; do sleep 0.2; done"
    fi
}
started() { # seconds until `make run` is usable, in $wall
    local begin
    begin=$(now)
    (cd "$copy" && exec env -i HOME="$home" PATH="$PATH" LANG=C.UTF-8 "${kept[@]}" make -s run ARGS="--port $port --no-browser" >"$top/log" 2>&1 </dev/null) &
    usable "$port" || { tail -n 40 "$top/log" >&2; exit 1; }
    wall=$(since "$begin")
    end_all
}
commands() {
    row "command" "wall, s" "checkout with .venv, MB" "of it .venv, MB" "left in the home, MB"
    row "---" "---" "---" "---" "---"
    fresh run
    started
    row "\`make run\` until the first page is usable" "$wall" "$(mb "$copy")" "$(mb "$copy/.venv")" "$(mb "$home")"
    started
    row "\`make run\` again" "$wall" "$(mb "$copy")" "$(mb "$copy/.venv")" "$(mb "$home")"
    fresh test
    (cd "$copy" && timed clean make -s test && row "\`make test\`" "$wall" "$(mb "$copy")" "$(mb "$copy/.venv")" "$(mb "$home")")
    echo
    echo "The last line of the tests: $(grep -E '[0-9]+ passed' "$top/log" | tail -n 1 | tr -d '=' | xargs)"
}

if [ -n "$write" ]; then
    name=fresh_machine
    [ "$what" = installers ] && name=installers
    "$what" | tee /dev/stderr | "$checkout/.venv/bin/python" -m scripts.bench --into docs/install.md "$name"
else
    "$what"
fi
