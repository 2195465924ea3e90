/// A fixed number of noncopyable values in memory of their own.
///
/// An array can't hold such values, and an `InlineArray` needs their number at compile time. Elements are read and
/// changed in place: nothing is retained, and only the list itself is checked for exclusive access.
@safe struct OwnedList<Element: ~Copyable>: ~Copyable {
    /// `count` initialized elements, owned by the list alone.
    private let memory: UnsafeMutablePointer<Element>
    let count: Int

    init<E: Error>(count: Int, _ make: (Int) throws(E) -> Element) throws(E) {
        let memory = UnsafeMutablePointer<Element>.allocate(capacity: max(count, 1))
        var made = 0
        do throws(E) {
            while made < count {
                unsafe (memory + made).initialize(to: try make(made))
                made += 1
            }
        } catch {
            unsafe memory.deinitialize(count: made)
            unsafe memory.deallocate()
            throw error
        }
        unsafe self.memory = memory
        self.count = count
    }

    deinit {
        unsafe memory.deinitialize(count: count)
        unsafe memory.deallocate()
    }

    subscript(_ index: Int) -> Element {
        @inline(__always)
        unsafeAddress {
            precondition(index >= 0 && index < count)
            return unsafe UnsafePointer(memory + index)
        }
        @inline(__always)
        unsafeMutableAddress {
            precondition(index >= 0 && index < count)
            return unsafe memory + index
        }
    }
}
