//! Which `torch` wheel fits this machine.

use wheels::Wheel;

use super::error::{Error, VERSION};

/// The wheels that can be used: operating system and architecture as Rust names them, the file. The
/// Python version in them does not matter: no Python part of them is unpacked.
const WHEELS: [((&str, &str), Wheel); 3] = [
    (
        ("linux", "x86_64"),
        torch(
            "cp312-cp312-manylinux_2_28_x86_64",
            527,
            "796633c4cdf0fe2cdced72d8f88f22e73dbcfce83132763162f6d4bff13b820b",
        ),
    ),
    (
        ("linux", "aarch64"),
        torch(
            "cp312-cp312-manylinux_2_28_aarch64",
            427,
            "572df8be8ffb4599c88cbd6a0726f1f854f4da65d2e3c09f0e2c2283333cd6d4",
        ),
    ),
    (
        ("macos", "aarch64"),
        torch(
            "cp312-cp312-macosx_14_0_arm64",
            111,
            "2fe228aba290d14b9f31b049be550dbd469c3fd3013d7a19705b30454da97027",
        ),
    ),
];

const fn torch(tags: &'static str, megabytes: u32, sha256: &'static str) -> Wheel {
    Wheel { project: "torch", version: VERSION, tags, megabytes, sha256 }
}

pub fn for_this_machine() -> Result<&'static Wheel, Error> {
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    let wheel = WHEELS.iter().find(|(machine, _)| *machine == (os, arch)).map(|(_, wheel)| wheel);
    wheel.ok_or(Error::Platform { os, arch })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wheel_has_a_full_hash_and_its_own_machine() {
        for (index, (machine, wheel)) in WHEELS.iter().enumerate() {
            assert_eq!(wheel.sha256.len(), 64);
            assert!(wheel.tags.ends_with(machine.1) || machine.0 == "macos", "{wheel:?}");
            assert!(WHEELS[..index].iter().all(|(other, _)| other != machine));
        }
    }
}
