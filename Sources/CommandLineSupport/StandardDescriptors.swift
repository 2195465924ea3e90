import Foundation

/// The descriptors 0, 1 and 2.
public enum StandardDescriptors {
    /// Opens `/dev/null` in place of each standard stream that the parent process has closed.
    ///
    /// Otherwise the next socket or file would get its number, and output would be written into it. The replacement is
    /// opened in the opposite mode, so that reading or writing still fails with EBADF. Call this before anything else
    /// is opened.
    public static func reserve() {
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 && errno == EBADF {
            // open(2) returns the lowest free number. A failure changes nothing.
            _ = unsafe open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
        }
    }
}
