//! What is served as it is: style, script, icon. All are in the program.

/// A file of the program.
#[derive(Debug)]
pub struct Asset {
    pub path: &'static str,
    pub kind: &'static str,
    pub text: &'static str,
    hash: u64,
}

const fn asset(path: &'static str, kind: &'static str, text: &'static str) -> Asset {
    Asset { path, kind, text, hash: fnv(text.as_bytes()) }
}

pub static ASSETS: [Asset; 3] = [
    asset("/screen.css", "text/css; charset=utf-8", include_str!("../../assets/screen.css")),
    asset("/screen.js", "text/javascript; charset=utf-8", include_str!("../../assets/screen.js")),
    asset("/icon.svg", "image/svg+xml", include_str!("../../assets/icon.svg")),
];

impl Asset {
    /// Where a page finds it: another content is another address, so a browser may keep it.
    pub fn address(&self) -> String {
        format!("{}?{:016x}", self.path, self.hash)
    }
}

/// FNV-1a, 64 bits: tells contents apart, and proves nothing.
const fn fnv(bytes: &[u8]) -> u64 {
    let (mut hash, mut at) = (0xcbf2_9ce4_8422_2325_u64, 0);
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0100_0000_01b3);
        at += 1;
    }
    hash
}
