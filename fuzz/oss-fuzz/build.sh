#!/bin/bash -eu
# Run by OSS-Fuzz, which sets CC, CXX, CFLAGS, CXXFLAGS, LIB_FUZZING_ENGINE, SRC, WORK and OUT: puts every target into $OUT, with its corpus and
# its dictionary. LOCKSTEP_BUILD names a build to take them from, for tests/fuzzing.
source=$SRC/lockstep
build=${LOCKSTEP_BUILD:-$WORK/lockstep}

if [ -z "${LOCKSTEP_BUILD:-}" ]; then
  cmake -G Ninja -S "$source" -B "$build" -DCMAKE_BUILD_TYPE= -DLOCKSTEP_FUZZ=ON -DLOCKSTEP_FUZZ_ENGINE="$LIB_FUZZING_ENGINE" \
    -DLOCKSTEP_TESTS=OFF -DLOCKSTEP_TOOLS=OFF -DLOCKSTEP_BOTAN=OFF -DLOCKSTEP_BLOCKING=OFF -DLOCKSTEP_EPOLL=OFF -DLOCKSTEP_INSTALL=OFF
  cmake --build "$build"
fi

"$build/fuzz/fuzz_seeds" "$WORK/seeds" "$source/fuzz/peers"
for corpus in "$source"/fuzz/corpus/*; do
  name=${corpus##*/}
  target=fuzz_$name
  cp "$build/fuzz/$target" "$OUT/"
  python3 -m zipfile -c "$OUT/${target}_seed_corpus.zip" "$corpus"/* "$WORK/seeds/$name"/*
  [ ! -e "$source/fuzz/dictionaries/$name.dict" ] || cp "$source/fuzz/dictionaries/$name.dict" "$OUT/$target.dict"
  printf '[libfuzzer]\nmax_len = 16384\nuse_value_profile = 1\n' >"$OUT/$target.options"
done
