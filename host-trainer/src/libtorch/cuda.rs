//! CUDA for libtorch: NVIDIA's libraries, which the `torch` wheel names as its needs, put beside
//! libtorch, where its own libraries look for them (`$ORIGIN/../../nvidia`).

use std::fs;
use std::path::Path;

use wheels::Wheel;

use super::error::{Error, at};
use super::unpack::unpack;

/// What `torch` 2.13.0 asks for on Linux with an x86-64 processor.
#[rustfmt::skip]
const WHEELS: [Wheel; 15] = [
    wheel("nvidia-cublas", "13.1.1.3", "py3-none-manylinux_2_27_x86_64", 423,
        "37936a16db8fe4ac1f065c2139360608a543a09275cb1a1af612e08cfa065436"),
    wheel("nvidia-cuda-cupti", "13.0.85", "py3-none-manylinux_2_25_x86_64", 11,
        "4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8"),
    wheel("nvidia-cuda-nvrtc", "13.0.88", "py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64", 90,
        "ad9b6d2ead2435f11cbb6868809d2adeeee302e9bb94bcf0539c7a40d80e8575"),
    wheel("nvidia-cuda-runtime", "13.0.96", "py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64", 2,
        "7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548"),
    wheel("nvidia-cudnn-cu13", "9.20.0.48", "py3-none-manylinux_2_27_x86_64", 366,
        "0c45dd8eeb50b603f07995b1b300c62ffe6a1980482b82b3bcf94a4ca9d49304"),
    wheel("nvidia-cufft", "12.0.0.61", "py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64", 214,
        "6c44f692dce8fd5ffd3e3df134b6cdb9c2f72d99cf40b62c32dde45eea9ddad3"),
    wheel("nvidia-cufile", "1.15.1.6", "py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64", 1,
        "08a3ecefae5a01c7f5117351c64f17c7c62efa5fffdbe24fc7d298da19cd0b44"),
    wheel("nvidia-curand", "10.4.0.35", "py3-none-manylinux_2_27_x86_64", 60,
        "1aee33a5da6e1db083fe2b90082def8915f30f3248d5896bcec36a579d941bfc"),
    wheel("nvidia-cusolver", "12.0.4.66", "py3-none-manylinux_2_27_x86_64", 201,
        "0a759da5dea5c0ea10fd307de75cdeb59e7ea4fcb8add0924859b944babf1112"),
    wheel("nvidia-cusparse", "12.6.3.3", "py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64", 146,
        "2b3c89c88d01ee0e477cb7f82ef60a11a4bcd57b6b87c33f789350b59759360b"),
    wheel("nvidia-cusparselt-cu13", "0.8.1", "py3-none-manylinux2014_x86_64", 170,
        "786ce87568c303fadb5afcc7102d454cd3040d75f6f8626f5db460d1871f4dd0"),
    wheel("nvidia-nccl-cu13", "2.29.7", "py3-none-manylinux_2_18_x86_64", 206,
        "edd81538446786ec3b73972543e53bb43bcaf0bfc8ef76cb679fcc390ffe136d"),
    wheel("nvidia-nvjitlink", "13.5.37", "py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64", 47,
        "280d7cb9649704145f074b8dbde500de04ce02d0872e066e20a83c17bcaa93eb"),
    wheel("nvidia-nvshmem-cu13", "3.4.5", "py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64", 60,
        "290f0a2ee94c9f3687a02502f3b9299a9f9fe826e6d0287ee18482e78d495b80"),
    wheel("nvidia-nvtx", "13.0.85", "py3-none-manylinux1_x86_64.manylinux_2_5_x86_64", 0,
        "4936d1d6780fbe68db454f5e72a42ff64d1fd6397df9f363ae786930fd5c1cd4"),
];

const fn wheel(
    project: &'static str,
    version: &'static str,
    tags: &'static str,
    megabytes: u32,
    sha256: &'static str,
) -> Wheel {
    Wheel { project, version, tags, megabytes, sha256 }
}

/// Puts NVIDIA's libraries into `cache/nvidia`, whole or not at all.
pub fn install(cache: &Path) -> Result<(), Error> {
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    if (os, arch) != ("linux", "x86_64") {
        return Err(Error::NoCuda { os, arch });
    }
    let megabytes: u32 = WHEELS.iter().map(|wheel| wheel.megabytes).sum();
    eprintln!("libtorch: CUDA takes {} files of NVIDIA's, {megabytes} MB", WHEELS.len());
    let (target, making) = (cache.join("nvidia"), cache.join("nvidia.tmp"));
    super::files::remove_dir(&making)?;
    for wheel in &WHEELS {
        let file = wheel.obtain(&cache.join("wheels"))?;
        unpack(&file, &making, &|name| name.starts_with("nvidia/") && is_library(name))?;
    }
    super::files::remove_dir(&target)?;
    fs::rename(&making, &target).map_err(at("rename into place", &target))
}

/// True for a shared library, with a version behind its name or without.
fn is_library(name: &str) -> bool {
    name.rsplit('/').next().is_some_and(|file| file.ends_with(".so") || file.contains(".so."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_taken_and_nothing_else() {
        assert!(is_library("nvidia/cu13/lib/libcublas.so.13"));
        assert!(!is_library("nvidia/cu13/include/cublas.h") && !is_library("nvidia/sonames.so.d/a.txt"));
    }

    #[test]
    fn every_wheel_is_named_once_with_a_full_hash() {
        for (index, wheel) in WHEELS.iter().enumerate() {
            assert!(wheel.sha256.len() == 64 && wheel.tags.contains("_x86_64"), "{wheel:?}");
            assert!(WHEELS[..index].iter().all(|other| other.project != wheel.project));
        }
    }
}
