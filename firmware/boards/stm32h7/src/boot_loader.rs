//! What OpenMV's boot loader leaves when it jumps here, set back to what a reset leaves: the
//! drivers take that for granted. Its newer versions leave its clocks, older ones also interrupts
//! masked and its tick running. Stack and vectors are set by cortex-m-rt (`set-sp`, `set-vtor`).

use cortex_m::Peripherals;
use cortex_m::peripheral::SCB;
use embassy_stm32::pac::RCC;
use embassy_stm32::rcc::Sysclk;

/// Called first of all.
pub fn set_back() {
    // SAFETY: called once, at the start, when nothing else has these registers.
    let mut core = unsafe { Peripherals::steal() };
    core.SYST.disable_interrupt();
    core.SYST.disable_counter();
    SCB::clear_pendst();
    for (disable, forget) in core.NVIC.icer.iter().zip(&core.NVIC.icpr) {
        // SAFETY: each bit that is written forbids an interrupt, or forgets one that waits.
        unsafe {
            disable.write(u32::MAX);
            forget.write(u32::MAX);
        }
    }
    // The boot loader runs at up to 480 MHz. A PLL takes no other factors while it runs, so that
    // the driver's would be written into the air, and it would lower the voltage below what 480 MHz
    // need.
    RCC.cr().modify(|oscillators| oscillators.set_hsion(true));
    while !RCC.cr().read().hsirdy() {}
    RCC.cfgr().modify(|clock| clock.set_sw(Sysclk::HSI));
    while RCC.cfgr().read().sws() != Sysclk::HSI {}
    for pll in 0..3 {
        RCC.cr().modify(|oscillators| oscillators.set_pllon(pll, false));
        while RCC.cr().read().pllrdy(pll) {}
    }
    // SAFETY: none is allowed, so none comes before its handler is set up.
    unsafe { cortex_m::interrupt::enable() };
}
