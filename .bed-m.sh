F="--allow-all --no-check --cached-only --no-prompt --preload=tests/support/main_thread.ts --import-map=tests/import_map.json"
cat > /tmp/empty_test.ts <<'X'
Deno.test("x", () => {});
X
cat > /tmp/mod_test.ts <<'X'
import "@usb/gadget";
Deno.test("x", () => {});
X
t() { echo "== $*"; s=$(date +%s%N); "$@" 2>&1 | grep -E "^(ok|FAILED|error)"; e=$(date +%s%N); echo "$(( (e-s)/1000000 )) ms"; }
T="tests/kernel/control_life_test.ts tests/kernel/endpoint_transfer_test.ts tests/kernel/endpoint_zlp_test.ts"
t deno test $F --v8-flags=--expose-gc /tmp/empty_test.ts
t deno test $F --v8-flags=--expose-gc /tmp/empty_test.ts
t deno test $F --v8-flags=--expose-gc /tmp/mod_test.ts
t deno test $F --v8-flags=--expose-gc /tmp/mod_test.ts
for i in 1 2; do
t deno test $F --v8-flags=--expose-gc $T
t deno test $F --v8-flags=--expose-gc,--max-lazy $T
t deno test $F --v8-flags=--expose-gc,--no-opt $T
t deno test $F --v8-flags=--expose-gc,--single-threaded $T
t deno test $F --v8-flags=--expose-gc,--no-maglev,--no-turbofan $T
done
