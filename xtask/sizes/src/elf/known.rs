//! The whole way from a linked file on, over `known.s`: assembler, linker and disassembler are the
//! real ones.

use std::collections::BTreeMap;

use super::graph::Graph;
use super::image::Image;
use super::table::Table;
use super::{reach, stack};
use debian_packages::{self as debian, Tool};
use toolbox::{process, root};

fn image() -> Image {
    let tool = Tool { ask: &["arm-none-eabi-as", "--version"], package: "binutils-arm-none-eabi" };
    debian::ensure_tools(&[tool]).unwrap();
    let folder = root().join(".cache/cross/known");
    std::fs::create_dir_all(&folder).unwrap();
    let (object, program) = (folder.join("known.o"), folder.join("known"));
    let source = "xtask/sizes/src/elf/known.s";
    process::run(process::command("arm-none-eabi-as").arg(source).arg("-o").arg(&object)).unwrap();
    let mut link = process::command("arm-none-eabi-ld");
    link.args(["--section-start=.vector_table=0", "-Ttext=0x400", "--section-start=.rodata=0x800"]);
    link.args(["-Tbss=0x20000000", "--entry=Reset"]).arg(&object).arg("-o").arg(&program);
    process::run(&mut link).unwrap();
    Image::read(&program).unwrap()
}

#[test]
#[ignore = "needs Arm's assembler: `cargo xtask test tools` runs it"]
fn stacks_calls_and_panics_of_a_linked_program_are_those_that_its_source_says() {
    let image = image();
    let none = Table::default();
    let address = |name: &str| {
        let mut found =
            image.functions.iter().filter(|(_, function)| function.names.iter().any(|n| n == name));
        *found.next().unwrap_or_else(|| panic!("no function {name}")).0
    };
    let (reset, handlers) = image.vectors().unwrap();
    assert_eq!((reset, handlers), (address("Reset"), BTreeMap::from([(address("Handler"), 2)])));
    assert_eq!(image.address_taken(), [address("second"), address("label")]);

    let names = ["Reset", "main", "work", "leaf", "second", "Handler", "label"];
    let roots = names.map(address);
    let graph = Graph::new(&image, &none, &roots);
    let stacks = roots.map(|root| stack::bound(&graph, root).map(|bound| bound.bytes));
    let work = 36 + 16 + 1024 + 8 + 12;
    assert_eq!(stacks, [8 + work, 8 + work, work, 12, 8 + 24 + 28, 16, 40].map(Ok));
    let path = stack::bound(&graph, reset).unwrap().path;
    let path: Vec<_> = path.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
    assert_eq!(path, [("Reset", 0), ("main", 8), ("work", work - 12), ("leaf", 12)]);
    assert_eq!(roots.map(|root| graph.returns(root)), [false, true, true, true, true, true, false]);
    assert!(graph.guesses().is_empty(), "{:?}", graph.guesses());

    assert_eq!(reach::panic(&graph, &[reset]), None);
    assert_eq!(reach::panic(&graph, &[address("Handler")]).unwrap(), ["Handler", "core::panicking::panic"]);
    let arena = image.statics.iter().find(|item| item.name == "ARENA").unwrap();
    assert_eq!((arena.address, arena.size), (0x2000_0000, 4096));
}
