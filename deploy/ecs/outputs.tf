output "migrate" {
  description = "Brings the queue's schema up to date. Run it before the services get a new image."
  value = join(" ", [
    "aws ecs run-task --launch-type FARGATE --cluster ${var.cluster}",
    "--task-definition ${aws_ecs_task_definition.migrate.family}",
    "--network-configuration 'awsvpcConfiguration={subnets=[${join(",", var.subnets)}],securityGroups=[${aws_security_group.worker.id}]}'",
  ])
}

output "token" {
  description = "What is added to that command to make a token of the API; it is printed into the log group."
  value       = "--overrides '{\"containerOverrides\": [{\"name\": \"migrate\", \"command\": [\"token\", \"create\", \"app\"]}]}'"
}

output "worker_security_group" {
  description = "Postgres has to let this one in, and that of the API."
  value       = aws_security_group.worker.id
}

output "api_security_group" {
  value = aws_security_group.api.id
}

output "log_group" {
  value = aws_cloudwatch_log_group.kiln.name
}
