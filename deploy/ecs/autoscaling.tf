# Workers by the queue's depth. The figures come to CloudWatch as log lines: the task "depth", a quarter of a core, prints
# what "kiln health --json" says every 20 s, and these filters read it. No Lambda, no agent, and no right to write metrics.
locals {
  namespace = "Kiln/${var.name}"
  figures   = { Ready = "ready", Running = "running", Workers = "workersAlive" }
}

resource "aws_cloudwatch_log_metric_filter" "figure" {
  for_each = local.figures

  name           = "${var.name}-${each.value}"
  log_group_name = aws_cloudwatch_log_group.kiln.name
  pattern        = "{ ($.ready = *) && ($.running = *) && ($.workersAlive = *) }"

  metric_transformation {
    name      = each.key
    namespace = local.namespace
    value     = "$.${each.value}"
  }
}

resource "aws_appautoscaling_target" "worker" {
  service_namespace  = "ecs"
  resource_id        = "service/${var.cluster}/${aws_ecs_service.worker.name}"
  scalable_dimension = "ecs:service:DesiredCount"
  min_capacity       = var.worker.min
  max_capacity       = var.worker.max
}

# As many workers as there are jobs that run or could, divided by what a worker takes. Jobs of queues that are paused count
# too: worker.max is what bounds their price.
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
      dynamic "metrics" {
        for_each = local.figures

        content {
          id          = lower(metrics.key)
          label       = metrics.key
          return_data = false

          metric_stat {
            stat = "Average"

            metric {
              namespace   = local.namespace
              metric_name = metrics.key
            }
          }
        }
      }

      metrics {
        id          = "jobs"
        label       = "jobs per worker"
        expression  = "(ready + running) / IF(workers < 1, 1, workers)"
        return_data = true
      }
    }
  }

  depends_on = [aws_cloudwatch_log_metric_filter.figure]
}
