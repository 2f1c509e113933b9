# Workers by the queue's depth. The figure comes to CloudWatch as a line of the log: the task "depth", a quarter of a core, asks
# Postgres every 20 s, and a filter reads what it prints. No Lambda, no agent, no package, and no right to write metrics.
locals {
  # What runs, and what could: no more of a queue than its limit lets, nothing of one that is paused, and no webhooks, which
  # are light and run beside the slots. A process is two workers in the queue's tables: one for webhooks.
  depth = <<-SQL
    SELECT json_build_object('jobs', jobs, 'workers', workers, 'jobsPerWorker', round(jobs / greatest(workers, 1), 2))
    FROM (SELECT coalesce(sum(running + CASE WHEN paused THEN 0
              ELSE greatest(0, least(ready, coalesce(concurrency - running, ready))) END), 0) AS jobs
          FROM kiln.queues WHERE queue <> 'webhook.deliver') q,
         (SELECT count(DISTINCT (host, pid)) AS workers FROM kiln.workers WHERE state = 'alive') w
  SQL

  namespace = "Kiln"
  metric    = "JobsPerWorker-${var.name}"
}

resource "aws_cloudwatch_log_metric_filter" "depth" {
  name           = "${var.name}-depth"
  log_group_name = aws_cloudwatch_log_group.kiln.name
  pattern        = "{ $.jobsPerWorker = * }"

  metric_transformation {
    name      = local.metric
    namespace = local.namespace
    value     = "$.jobsPerWorker"
  }
}

resource "aws_appautoscaling_target" "worker" {
  service_namespace  = "ecs"
  resource_id        = "service/${var.cluster}/${aws_ecs_service.worker.name}"
  scalable_dimension = "ecs:service:DesiredCount"
  min_capacity       = var.worker.min
  max_capacity       = var.worker.max
}

# As many workers as there are jobs for, at var.worker.concurrency each.
resource "aws_appautoscaling_policy" "worker" {
  name               = "${var.name}-worker"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.worker.service_namespace
  resource_id        = aws_appautoscaling_target.worker.resource_id
  scalable_dimension = aws_appautoscaling_target.worker.scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value       = var.worker.concurrency
    scale_out_cooldown = 60
    scale_in_cooldown  = 300

    customized_metric_specification {
      namespace   = local.namespace
      metric_name = local.metric
      statistic   = "Average"
    }
  }

  depends_on = [aws_cloudwatch_log_metric_filter.depth]
}
