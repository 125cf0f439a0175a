// What tikv-jemallocator does: a global allocator over jemalloc's mallocx family.
use std::alloc::{GlobalAlloc, Layout};
use std::ffi::{c_char, c_int, c_void, CString};

extern "C" {
    fn mallocx(size: usize, flags: c_int) -> *mut c_void;
    fn sdallocx(block: *mut c_void, size: usize, flags: c_int);
    fn mallctl(name: *const c_char, old: *mut c_void, old_size: *mut usize, new: *mut c_void, new_size: usize) -> c_int;
}
struct Jemalloc;
unsafe impl GlobalAlloc for Jemalloc {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        mallocx(layout.size(), layout.align().trailing_zeros() as c_int) as *mut u8
    }
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        sdallocx(block as *mut c_void, layout.size(), layout.align().trailing_zeros() as c_int)
    }
}
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

mod holders {
    #[inline(never)]
    pub fn hold_sixty(rounds: usize) -> Vec<Vec<u8>> { (0..rounds).map(|_| vec![1u8; 600]).collect() }
    #[inline(never)]
    pub fn hold_forty(rounds: usize) -> Vec<String> { (0..rounds).map(|_| "x".repeat(400)).collect() }
}
fn main() {
    let first = holders::hold_sixty(6000);
    let second = std::thread::Builder::new().name("forty".into()).spawn(|| holders::hold_forty(6000)).unwrap().join().unwrap();
    let path = CString::new(std::env::args().nth(1).unwrap()).unwrap();
    let mut pointer = path.as_ptr();
    let failed = unsafe { mallctl(c"prof.dump".as_ptr(), std::ptr::null_mut(), std::ptr::null_mut(), &mut pointer as *mut _ as *mut c_void, 8) };
    assert_eq!(failed, 0, "{} {}", first.len(), second.len());
}
