// Before anything is painted: the reader's choice of light or dark, where one was made.
try {
  const chosen = localStorage.getItem('waybill-theme');
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
} catch {
  // No storage, no choice: the system's own.
}
