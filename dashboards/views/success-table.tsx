import type { Rate, TaskScore } from '../../protocol/dashboard-views.ts';
import { domainOf, taskName, type Domain } from '../../protocol/task.ts';
import { grouped, short, wholePercent } from '../format.ts';
import { dotOf } from '../task-color.ts';
import type { Store } from '../store.ts';
import { Downloads } from './downloads.tsx';
import { IntervalBar, intervalText } from './rate.tsx';

const DOMAIN_NAMES: Readonly<Record<Domain, string>> = { metaworld: 'Meta-World', dmcontrol: 'DeepMind Control' };

export function SuccessTable({ store }: { readonly store: Store }) {
  const run = store.run.value;
  if (run === undefined || run.tasks.length === 0) return null;
  const domains = [...new Set(run.tasks.map((task) => domainOf(task.task)))];
  return (
    <section class="panel table-panel" aria-labelledby="results-title">
      <div class="runs-heading">
        <h2 id="results-title">Results</h2>
        <Downloads run={run.run} />
      </div>
      <div class="table-scroll" tabIndex={0} role="region" aria-labelledby="results-title">
        <table class="scores">
          <thead>
            <tr>
              <th scope="col">Task</th>
              <th scope="col" class="number">
                Episodes
              </th>
              <th scope="col" colSpan={2}>
                Success, any time
              </th>
              <th scope="col" colSpan={2}>
                Success, at the end
              </th>
              <th scope="col" class="number" title="Median over successful episodes of the first step with success">
                First step
              </th>
              <th scope="col" class="number">
                Mean return
              </th>
              <th scope="col" class="number" title="(return − random) / (reference − random)">
                Normalised
              </th>
              <th scope="col" class="number" title="Episodes that could not be run; never counted as failures">
                Errors
              </th>
            </tr>
          </thead>
          {domains.map((domain) => (
            <tbody key={domain}>
              {domains.length > 1 && (
                <tr class="domain-row">
                  <th scope="rowgroup" colSpan={10}>
                    {DOMAIN_NAMES[domain]}
                  </th>
                </tr>
              )}
              {run.tasks
                .filter((task) => domainOf(task.task) === domain)
                .map((task) => (
                  <TaskRow key={task.task} task={task} />
                ))}
            </tbody>
          ))}
        </table>
      </div>
    </section>
  );
}

function TaskRow({ task }: { readonly task: TaskScore }) {
  return (
    <tr data-task={task.task}>
      <th scope="row">
        <span class="task-dot" style={dotOf(task.task)} aria-hidden="true" />
        {taskName(task.task)}
      </th>
      <td class="number">
        {grouped(task.finished)}
        <span class="faint">/{grouped(task.planned)}</span>
        {task.assisted !== undefined && (
          <span title="A person had a part: not scored"> +{grouped(task.assisted)} assisted</span>
        )}
      </td>
      <RateCells rate={task.successAnyTime} label="Any time" />
      <RateCells rate={task.successAtEnd} label="At the end" />
      <td class="number">{task.firstSuccessStep === null ? <Nothing /> : grouped(task.firstSuccessStep)}</td>
      <td class="number">{task.meanReturn === null ? <Nothing /> : short(task.meanReturn)}</td>
      <td class="number">{task.normalizedScore === null ? <Nothing /> : task.normalizedScore.toFixed(2)}</td>
      <td class="number">{task.errors === 0 ? <Nothing /> : <span class="bad">{grouped(task.errors)}</span>}</td>
    </tr>
  );
}

function RateCells({ rate, label }: { readonly rate: Rate; readonly label: string }) {
  if (rate.rate === null) {
    return (
      <td colSpan={2}>
        <Nothing />
      </td>
    );
  }
  return (
    <>
      <td class="number rate-number">
        {wholePercent(rate.rate)}
        <span class="faint">
          {' '}
          {grouped(rate.successes)}/{grouped(rate.episodes)}
        </span>
      </td>
      <td class="rate-bar">
        <IntervalBar rate={rate} label={label} />
        {rate.interval !== null && <span class="interval-text">{intervalText(rate.interval)}</span>}
      </td>
    </>
  );
}

function Nothing() {
  return <span class="faint">–</span>;
}
