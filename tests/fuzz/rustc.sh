#!/bin/sh
# Cargo calls this in place of rustc when it builds the fuzz targets (RUSTC_WRAPPER). The inference library is linked and
# never run: built plainly, without the counters and checks that libFuzzer and the sanitizer want, it is built sooner, and
# libFuzzer has 44,000 counters to look through after each input in place of 1.3 million: seven times as many inputs a second
# of the target `decode`. tract_onnx reads model files and is built as all the rest.
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
