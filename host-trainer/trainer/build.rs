//! Tells the linker where libtorch lies, so that the program finds it at run time.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // Windows looks for libraries beside the program and along PATH; its linker knows no such argument.
    let is_unix = std::env::var_os("CARGO_CFG_UNIX").is_some();
    if let (true, Ok(lib)) = (is_unix, std::env::var("DEP_TCH_LIBTORCH_LIB")) {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{lib}");
        // A CUDA libtorch registers its kernels when it is loaded; nothing refers to it by name.
        if std::path::Path::new(&lib).join("libtorch_cuda.so").exists() {
            println!("cargo:rustc-link-arg=-Wl,--no-as-needed,-ltorch_cuda,--as-needed");
        }
    }
}
