package import Foundation

extension Process {
    /// Waits until it has ended, on a thread that may be blocked.
    ///
    /// Foundation takes a process for running as long as another one lives that was started in the same moment, a server
    /// perhaps, as that may have inherited the socket it listens to.
    ///
    /// - Returns: its exit status; -1 if a signal ended it.
    package func waitForOwnEnd() -> Int32 {
        var info = siginfo_t()
        // Left for Foundation to collect.
        while waitid(P_PID, id_t(processIdentifier), &info, WEXITED | WNOWAIT) != 0 {
            if errno == EINTR { continue }
            // Which it has done already.
            waitUntilExit()
            return terminationReason == .uncaughtSignal ? -1 : terminationStatus
        }
        return info.si_code == CLD_EXITED ? info._sifields._sigchld.si_status : -1
    }
}
