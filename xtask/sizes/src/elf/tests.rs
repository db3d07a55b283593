//! Programs in miniature with known stacks, and what must be found in them.

use std::collections::BTreeMap;

use super::graph::Graph;
use super::image::{Function, Image, Section};
use super::table::Table;
use super::{listing, reach, stack, walk};

/// A program of functions, each at its address with its instructions, every one four bytes long.
fn program(functions: &[(&str, u32, &str)]) -> Image {
    let mut image = Image::default();
    for &(name, start, text) in functions {
        let mut listing = String::new();
        let mut end = start;
        for line in text.split(';') {
            let (mnemonic, operands) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
            listing.push_str(&format!("   {end:x}:\t0000 0000 \t{mnemonic}\t{operands}\n"));
            end += 4;
        }
        image.code.extend(listing::parse(&listing).unwrap());
        image.functions.insert(start, Function { end, names: vec![name.to_string()] });
    }
    image
}

/// Words in memory that cannot change.
fn words(image: &mut Image, name: &str, address: u32, words: &[u32]) {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    image.sections.push(Section {
        name: name.into(),
        address,
        load: address,
        size: u32::try_from(bytes.len()).unwrap(),
        bytes,
        constant: true,
        ..Section::default()
    });
}

fn table(text: &str) -> Table {
    toml::from_str(text).unwrap()
}

fn bound(image: &Image, table: &Table, root: u32) -> Result<u32, String> {
    stack::bound(&Graph::new(image, table, &[root]), root).map(|b| b.bytes).map_err(|why| why.join("\n"))
}

#[test]
fn the_deepest_way_counts_with_the_depth_at_its_call() {
    let image = program(&[
        ("main", 0x100, "push {r7, lr}; bl 200; sub sp, #64; bl 300; add sp, #64; pop {r7, pc}"),
        (
            "deep",
            0x200,
            "push {r4, lr}; vpush {d8, d9}; sub sp, #100; add sp, #100; vpop {d8, d9}; pop {r4, pc}",
        ),
        ("flat", 0x300, "push {r4, lr}; cbz r0, 310; pop {r4, pc}; nop; pop.w {r4, lr}; b.w 400"),
        ("tail", 0x400, "sub sp, #48; add sp, #48; bx lr"),
    ]);
    let none = Table::default();
    let graph = Graph::new(&image, &none, &[0x100]);
    let found = stack::bound(&graph, 0x100).unwrap();
    // 8 and 124 in `deep`; 72 and 48 in `tail`, which `flat` jumps to with nothing left of its own.
    assert_eq!(found.bytes, 132);
    assert_eq!(found.path, [("main".to_string(), 8), ("deep".to_string(), 124)]);
    assert_eq!(bound(&image, &Table::default(), 0x300), Ok(48));
}

#[test]
fn frame_pointers_constants_and_alignment_are_followed() {
    let image = program(&[
        (
            "aligned",
            0x100,
            "push {r4, r5, r7, lr}; add r7, sp, #8; sub sp, #24; mov r4, sp; bfc r4, #0, #5; mov sp, r4; \
                            sub.w r4, r7, #8; mov sp, r4; pop {r4, r5, r7, pc}",
        ),
        ("large", 0x200, "movw ip, #8000; sub.w sp, sp, ip; movw ip, #8000; add sp, ip; bx lr"),
        ("skips", 0x300, "it ne; subne sp, #16; it ne; addne sp, #16; bx lr"),
    ]);
    let none = Table::default();
    assert_eq!(bound(&image, &none, 0x100), Ok(16 + 24 + 28));
    assert_eq!(bound(&image, &none, 0x200), Ok(8000));
    assert_eq!(bound(&image, &none, 0x300), Ok(16));
}

#[test]
fn tables_of_jumps_are_followed_to_each_of_their_entries() {
    let mut image = program(&[
        ("f", 0x100, "tbb [pc, r0]"),
        ("f", 0x108, "bx lr; sub sp, #8; add sp, #8; bx lr; sub sp, #40; add sp, #40; bx lr"),
    ]);
    let end = image.functions.remove(&0x108).unwrap().end;
    image.functions.get_mut(&0x100).unwrap().end = end;
    assert!(bound(&image, &Table::default(), 0x100).unwrap_err().contains("cannot read its table"));
    // Half the distances from the table: 0x108, 0x10c, 0x118; the zero fills up.
    words(&mut image, ".text", 0x104, &[u32::from_le_bytes([2, 4, 10, 0])]);
    assert_eq!(bound(&image, &Table::default(), 0x100), Ok(40));
}

#[test]
fn recursion_has_no_bound_unless_its_depth_is_known() {
    let image = program(&[
        ("a", 0x100, "push {r4, lr}; bl 200; pop {r4, pc}"),
        ("b", 0x200, "push {r4, r5, r6, lr}; cbz r0, 20c; bl 100; pop {r4, r5, r6, pc}"),
        ("jumps", 0x300, "push {r4, lr}; pop.w {r4, lr}; b.w 400"),
        ("jumps back", 0x400, "sub sp, #32; add sp, #32; b.w 300"),
    ]);
    let error = bound(&image, &Table::default(), 0x100).unwrap_err();
    assert!(error.contains("a -> b -> a"), "{error}");
    let known = table("[[recursion]]\nfunction = \"b\"\ntimes = 3\nwhy = \"\"");
    assert_eq!(bound(&image, &known, 0x100), Ok(3 * (8 + 16) + 16));
    assert!(known.unused().is_empty());
    // Nothing is left on the stack from one round to the next.
    assert_eq!(bound(&image, &Table::default(), 0x300), Ok(32));
}

#[test]
fn a_stack_that_cannot_be_told_has_no_bound_unless_it_is_declared() {
    let image = program(&[
        ("buffer", 0x100, "push {r4, lr}; sub.w sp, sp, r1; bl 200; mov sp, r5; pop {r4, pc}"),
        ("leaf", 0x200, "sub sp, #8; add sp, #8; bx lr"),
        ("grows", 0x300, "sub sp, #8; b.n 300"),
    ]);
    let error = bound(&image, &Table::default(), 0x100).unwrap_err();
    assert!(error.contains("buffer") && error.contains("sub sp, sp, r1"), "{error}");
    let known = table("[[frame]]\nfunction = \"buffer\"\nbytes = 1000\nwhy = \"\"");
    assert_eq!(bound(&image, &known, 0x100), Ok(1008));
    let error = bound(&image, &Table::default(), 0x300).unwrap_err();
    assert!(error.contains("every round of a loop"), "{error}");
}

#[test]
fn a_call_through_a_pointer_reaches_whom_the_table_names_else_everybody_whose_address_is_taken() {
    let mut image = program(&[
        ("main", 0x100, "push {r4, lr}; ldr r3, [r0, #12]; blx r3; pop {r4, pc}"),
        ("small", 0x200, "sub sp, #8; add sp, #8; bx lr"),
        ("large", 0x300, "sub sp, #80; add sp, #80; bx lr"),
        ("never", 0x400, "sub sp, #800; add sp, #800; bx lr"),
        ("taken", 0x500, "movw r0, #513; movt r0, #0; bx lr"),
        (
            "fixed",
            0x600,
            "push {r4, lr}; movw r3, #4104; movt r3, #0; ldr r3, [r3, #4]; blx r3; pop {r4, pc}",
        ),
    ]);
    // The odd address of a function; even ones and other numbers are none.
    words(&mut image, ".rodata", 0x1008, &[0x400, 0x301, 0x402]);
    assert_eq!(image.address_taken(), [0x200, 0x300]);
    let none = Table::default();
    let graph = Graph::new(&image, &none, &[0x100]);
    assert_eq!(graph.guesses(), ["main"]);
    assert_eq!(bound(&image, &none, 0x100), Ok(88));
    let known = table("[[call]]\nfrom = \"main\"\nto = [\"sm*\"]\nwhy = \"\"");
    assert_eq!(bound(&image, &known, 0x100), Ok(16));
    assert!(known.unused().is_empty());
    // A pointer out of a constant is no pointer but a name.
    let fixed = walk::walk(&image, 0x600);
    assert_eq!(fixed.calls.iter().map(|call| call.target).collect::<Vec<_>>(), [Some(0x300)]);
}

#[test]
fn a_panic_is_found_with_the_way_to_it_and_none_where_there_is_none() {
    let mut image = program(&[
        ("turn", 0x100, "push {r4, lr}; ldr r3, [r0, #12]; blx r3; pop {r4, pc}"),
        ("safe", 0x200, "bx lr"),
        ("step", 0x300, "push {r4, lr}; bl 400; udf #254"),
        ("core::panicking::panic_bounds_check", 0x400, "udf #0"),
        ("core::panicking::panic", 0x500, "udf #0"),
    ]);
    let safe = table("[[call]]\nfrom = \"turn\"\nto = [\"safe\"]\nwhy = \"\"");
    assert_eq!(reach::panic(&Graph::new(&image, &safe, &[0x100]), &[0x100]), None);
    words(&mut image, ".rodata", 0x1000, &[0x301]);
    let none = Table::default();
    let way = reach::panic(&Graph::new(&image, &none, &[0x100]), &[0x100]).unwrap();
    assert_eq!(way, ["turn", "step", "core::panicking::panic_bounds_check"]);
}

#[test]
fn an_allocator_is_found_among_the_names() {
    let names = ["main", "__rustc::__rust_alloc", "malloc", "small_malloc_free"].map(String::from);
    assert_eq!(reach::allocator(&names), ["__rustc::__rust_alloc", "malloc"]);
}

#[test]
fn handlers_are_those_of_the_vector_table() {
    let mut image =
        program(&[("Reset", 0x100, "bl 200; udf #0"), ("main", 0x200, "bx lr"), ("IRQ", 0x300, "bx lr")]);
    assert!(image.vectors().is_err());
    words(&mut image, ".vector_table", 0, &[0x2000_0000, 0x101, 0x301, 0, 0x301]);
    assert_eq!(image.vectors().unwrap(), (0x100, BTreeMap::from([(0x300, 2)])));
}
