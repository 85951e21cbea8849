import { useSignal } from '@preact/signals';
import { saveAs } from '../replay/save-as.ts';
import { fetchWithToken } from '../session-token.ts';

const FORMATS = ['csv', 'json', 'parquet'] as const;

/** Every episode of a run as a file. Fetched rather than linked to: a link cannot carry the page's token. */
export function Downloads({ run }: { readonly run: string }) {
  const failure = useSignal('');
  const download = async (format: string): Promise<void> => {
    failure.value = '';
    try {
      const response = await fetchWithToken(`api/runs/${encodeURIComponent(run)}/export?format=${format}`);
      if (!response.ok) throw new Error(`the server answered ${response.status}`);
      saveAs(await response.blob(), `${run}.${format}`);
    } catch (error) {
      failure.value = `No file: ${error instanceof Error ? error.message : 'no answer'}`;
    }
  };
  return (
    <div class="downloads" role="group" aria-label="Download all episodes">
      {failure.value !== '' && (
        <span class="bad" role="alert">
          {failure.value}
        </span>
      )}
      {FORMATS.map((format) => (
        <button key={format} type="button" class="download-button" onClick={() => void download(format)}>
          <span class="visually-hidden">Download as</span> {format === 'parquet' ? 'Parquet' : format.toUpperCase()}
        </button>
      ))}
    </div>
  );
}
