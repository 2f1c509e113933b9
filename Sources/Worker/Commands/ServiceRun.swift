import JobQueue
import Logging
import MediaKit
import Server
import ServiceLifecycle
import Transfer

/// Runs the service as a command does: with signals, and errors as commands say them.
enum ServiceRun {
    static func run(_ configuration: WorkerConfiguration, parts: KilnService.Parts) async throws {
        do {
            let telemetry = try ProcessTelemetry.start(configuration)
            let service = try KilnService(configuration, parts: parts, telemetry: telemetry)
            let group = ServiceGroup(
                configuration: .init(
                    services: [.init(service: service, serviceName: "kiln")], logger: Logger(label: "kiln.lifecycle")))
            try await KilnProgram.withService {
                try await group.run()
            } drain: {
                await group.triggerGracefulShutdown()
            }
        } catch let error as TransferError {
            throw MediaError(error, input: nil)
        } catch let error as ServerRefusal {
            throw MediaError(.configuration, "\(error)")
        } catch let error as ListenFailure {
            throw MediaError(.configuration, "\(error)")
        } catch {
            throw CommandFailure.wrapping(error, json: nil)
        }
    }
}
