#!/bin/sh
# Cargo calls this in place of rustc when it builds the fuzz targets (RUSTC_WRAPPER). The inference library is linked and
# never run: built plainly, without the counters and checks that libFuzzer and the sanitizer want, it takes a minute, not
# six, and libFuzzer has a fortieth of the counters to look through after each input. tract_onnx reads model files and is
# built as all the rest.
rustc=$1
shift
case " $* " in
    *" --crate-name tract_onnx "*) ;;
    *" --crate-name tract_"*)
        for argument do
            shift
            case $argument in
                -Cpasses=sancov-module | -Cllvm-args=-sanitizer-* | -Zsanitizer=*) ;;
                *) set -- "$@" "$argument" ;;
            esac
        done
        ;;
esac
exec "$rustc" "$@"
